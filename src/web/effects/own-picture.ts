/** Shrinks the person's own image so that it can be stored as a background. */
const WIDTH = 1280
const HEIGHT = 720
const QUALITY = 0.8

/** Returns a data URL. @throws if the browser cannot decode the file */
export async function asBackground(file: Blob): Promise<string> {
  const picture = await createImageBitmap(file)
  const canvas = document.createElement('canvas')
  const scale = Math.min(1, Math.max(WIDTH / picture.width, HEIGHT / picture.height))
  canvas.width = Math.round(picture.width * scale)
  canvas.height = Math.round(picture.height * scale)
  const context = canvas.getContext('2d')!
  context.imageSmoothingQuality = 'high'
  context.drawImage(picture, 0, 0, canvas.width, canvas.height)
  picture.close()
  return canvas.toDataURL('image/jpeg', QUALITY)
}
