/** Image files to pixels, as zsltf's own decoding door does it: turned as EXIF says, alpha on white. */

import { element } from "./element.js";
import { fit } from "./model.js";

const MEGABYTES = 64;
const PIXELS = 16e6; // what a canvas of every browser holds
const THUMBNAIL = 360;

/**
 * One file to {name, pixels, picture, similarities}.
 *
 * @param description of the model, which says how large its photos are.
 * @throws if it is no image.
 */
export async function decode(file, description) {
  const name = file.name || "photo";
  if (file.size > MEGABYTES * 2 ** 20) throw new Error(`${name} is larger than ${MEGABYTES} MB: make it smaller.`);
  const bitmap = await createImageBitmap(file, { colorSpaceConversion: "none" }).catch((error) => {
    throw new Error(`${name} is no image that this browser can read: choose a JPEG, PNG, WebP, GIF or BMP file.`, {
      cause: error,
    });
  });
  try {
    const pixels = fit(read(bitmap), description);
    return { name, pixels, picture: thumbnail(bitmap, name), similarities: new Map() };
  } finally {
    bitmap.close();
  }
}

/** A copy of a photo's picture, for another place of the page. */
export function copied(picture) {
  const label = picture.getAttribute("aria-label");
  const canvas = element("canvas", { width: picture.width, height: picture.height, role: "img", "aria-label": label });
  canvas.getContext("2d").drawImage(picture, 0, 0);
  return canvas;
}

function read(bitmap) {
  const halves = Math.max(0, Math.ceil(Math.log2((bitmap.width * bitmap.height) / PIXELS) / 2));
  const [width, height] = [bitmap.width, bitmap.height].map((length) => Math.max(1, Math.round(length / 2 ** halves)));
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  return { data: context.getImageData(0, 0, width, height).data, height, width };
}

/** The middle square: a still of it, also where the file is animated. */
function thumbnail(bitmap, name) {
  const side = Math.min(bitmap.width, bitmap.height);
  const canvas = element("canvas", { width: THUMBNAIL, height: THUMBNAIL, role: "img", "aria-label": name });
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  const corner = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
  context.drawImage(bitmap, ...corner, side, side, 0, 0, THUMBNAIL, THUMBNAIL);
  return canvas;
}
