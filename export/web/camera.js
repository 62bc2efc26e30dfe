/** The camera's dialog: a picture, a shutter, and a stream that ends when it is closed. */

const dialog = document.getElementById("camera");
const video = dialog.querySelector("video");
const shutter = document.getElementById("shutter");
const told = document.getElementById("camera-told");

let stream = null;
let onPhoto = null;
let taken = 0;

/**
 * Show the camera's picture, if there is one and the user lets us.
 *
 * @param take is called with a file for each photo that is taken.
 * @throws if there is no camera, or it is refused.
 */
export async function openCamera(take) {
  if (!navigator.mediaDevices) throw new Error("The browser gives no camera to this address: use https or localhost.");
  const wanted = { video: { facingMode: "environment", width: { ideal: 1280 } }, audio: false };
  stream = await navigator.mediaDevices.getUserMedia(wanted).catch((error) => {
    const refused = error.name === "NotAllowedError";
    const reason = refused ? "The camera was refused: allow it for this page." : "No camera can be used.";
    throw new Error(`${reason} Or choose photos from files.`, { cause: error });
  });
  onPhoto = take;
  taken = 0;
  told.textContent = "";
  video.srcObject = stream;
  dialog.showModal();
  shutter.focus();
}

shutter.addEventListener("click", async () => {
  if (!video.videoWidth) return;
  const take = onPhoto; // the dialog may be closed while the picture is packed
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  canvas.getContext("2d").drawImage(video, 0, 0);
  taken += 1;
  const name = `camera ${new Date().toLocaleTimeString("en-GB")}`;
  told.textContent = `${taken} ${taken === 1 ? "photo" : "photos"} taken.`;
  take(new File([await canvas.convertToBlob({ type: "image/png" })], name, { type: "image/png" }));
});

dialog.addEventListener("close", () => {
  for (const track of stream?.getTracks() ?? []) track.stop();
  video.srcObject = stream = onPhoto = null;
});
