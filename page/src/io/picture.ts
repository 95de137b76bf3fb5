/** A part of the page as an image. */

/** Parts that are for the mouse and the keyboard only. */
const LEFT_OUT = "[data-tools], .tooltip, .unseen, .u-select, .u-cursor-x, .u-cursor-y, .u-cursor-pt";

type Styled = HTMLElement | SVGElement;

/** Writes the style that an element has into its copy, and replaces a canvas by what it shows. */
const copied = (from: Element, to: Styled) => {
  const style = getComputedStyle(from);
  let written = "";
  for (const property of style) written += `${property}:${style.getPropertyValue(property)};`;
  // Not as an attribute, which the policy of the page forbids.
  to.style.cssText = written;
  [...from.children].forEach((child, at) => {
    const copy = to.children[at];
    if (copy === undefined) return;
    copied(child, copy as Styled);
    if (!(child instanceof HTMLCanvasElement)) return;
    const image = document.createElement("img");
    image.src = child.toDataURL();
    image.style.cssText = (copy as Styled).style.cssText;
    copy.replaceWith(image);
  });
};

/** The image of an element in PNG, on the background of the page. */
export const picture = async (element: HTMLElement): Promise<Blob> => {
  const { width, height } = element.getBoundingClientRect();
  const copy = element.cloneNode(true) as HTMLElement;
  copied(element, copy);
  for (const part of copy.querySelectorAll(LEFT_OUT)) part.remove();
  copy.style.margin = "0";
  copy.style.width = `${width}px`;
  copy.style.height = `${height}px`;
  const markup = new XMLSerializer().serializeToString(copy);
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><foreignObject width="100%" height="100%">${markup}</foreignObject></svg>`;
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  const ratio = Math.max(devicePixelRatio, 2);
  [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("this browser draws no images");
  context.fillStyle = getComputedStyle(document.body).backgroundColor;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(ratio, ratio);
  context.drawImage(image, 0, 0, width, height);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob === null ? reject(new Error("this browser writes no PNG")) : resolve(blob)), "image/png"));
};
