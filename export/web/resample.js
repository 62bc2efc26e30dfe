/**
 * Resizing as Pillow's BILINEAR does it: where an image gets smaller, a pixel is a weighted mean of its area.
 *
 * Some versions of Pillow mix columns first where that is less work, which turns a rounding here and there.
 */

const FINENESS = 2 ** 22; // of shares, as in Pillow: sums of so few binary digits are exact

/** The size to which an image is averaged down, as [height, width], before a network of this input size takes it. */
export function shrunkSize(height, width, size, resize) {
  if (resize === "stretch") return [Math.min(height, size), Math.min(width, size)];
  const side = resize === "crop" ? Math.min(height, width) : Math.max(height, width);
  const ratio = Math.min(1, size / side);
  return [height, width].map((length) => Math.max(1, roundHalfToEven(length * ratio)));
}

/** An image averaged down where it is bigger than the network takes; what is smaller stays as it is. */
export function shrink(image, size, resize) {
  return resample(image, ...shrunkSize(image.height, image.width, size, resize));
}

/** An image at a network's input size, for files that take no other. */
export function fitted(image, size, resize) {
  const { height, width } = image;
  if (resize === "stretch") return resample(image, size, size);
  if (resize === "pad") return resample(padded(image), size, size);
  const side = Math.min(height, width);
  const top = Math.trunc((height - side) / 2);
  const left = Math.trunc((width - side) / 2);
  return resample(image, size, size, { top, left, bottom: top + side, right: left + side });
}

/**
 * An RGB image {data, height, width} of another size.
 *
 * @param image with three bytes a pixel, or four of which the last is left out.
 * @param box the part of it that is resized; pixels around it count for its edge.
 */
export function resample(image, height, width, box = whole(image)) {
  const across = weights(image.width, box.left, box.right, width);
  const down = weights(image.height, box.top, box.bottom, height);
  return columnsMixed(rowsMixed(image, across), down);
}

function whole({ height, width }) {
  return { top: 0, left: 0, bottom: height, right: width };
}

/** For each of the wanted pixels: the first that it reads, and the share of each. */
function weights(length, start, end, wanted) {
  const scale = (end - start) / wanted;
  const reach = Math.max(scale, 1);
  return Array.from({ length: wanted }, (_, index) => {
    const centre = start + (index + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const last = Math.min(length, Math.trunc(centre + reach + 0.5));
    const raw = Array.from({ length: last - first }, (_, k) =>
      Math.max(0, 1 - Math.abs((first + k - centre + 0.5) * (1 / reach))),
    );
    const total = raw.reduce((sum, share) => sum + share, 0);
    return { first, shares: raw.map((share) => Math.round(share * (1 / total) * FINENESS) / FINENESS) };
  });
}

function rowsMixed({ data, height, width }, across) {
  const bytes = data.length / (height * width);
  const mixed = new Uint8Array(height * across.length * 3);
  let place = 0;
  for (let y = 0; y < height; y++) {
    for (const { first, shares } of across) {
      let [red, green, blue] = [0.5, 0.5, 0.5];
      let at = (y * width + first) * bytes;
      for (const share of shares) {
        red += share * data[at];
        green += share * data[at + 1];
        blue += share * data[at + 2];
        at += bytes;
      }
      mixed[place++] = red;
      mixed[place++] = green;
      mixed[place++] = blue;
    }
  }
  return { data: mixed, height, width: across.length };
}

function columnsMixed({ data, width }, down) {
  const mixed = new Uint8Array(down.length * width * 3);
  const line = new Float64Array(width * 3);
  down.forEach(({ first, shares }, y) => {
    line.fill(0.5);
    shares.forEach((share, k) => {
      const start = (first + k) * line.length;
      for (let i = 0; i < line.length; i++) line[i] += share * data[start + i];
    });
    mixed.set(line, y * line.length);
  });
  return { data: mixed, height: down.length, width };
}

/** The image in the middle of a black square. */
function padded({ data, height, width }) {
  const side = Math.max(height, width);
  const square = new Uint8Array(side * side * 3);
  const top = Math.trunc((side - height) / 2);
  const left = Math.trunc((side - width) / 2);
  for (let y = 0; y < height; y++) {
    square.set(data.subarray(y * width * 3, (y + 1) * width * 3), ((top + y) * side + left) * 3);
  }
  return { data: square, height: side, width: side };
}

function roundHalfToEven(value) {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + (below % 2) : Math.round(value);
}
