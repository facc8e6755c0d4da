// A map as a picture: what is drawn, its legend and its sources, for a slide or a mail.

import { css } from "./basemap.js";

/** Save the map as a PNG under a name. */
export function savePicture(map, legend, name) {
  map.once("render", () => {
    const drawn = map.getCanvas(), scale = drawn.width / map.getContainer().clientWidth;
    const sheet = document.createElement("canvas");
    [sheet.width, sheet.height] = [drawn.width, drawn.height];
    const pen = sheet.getContext("2d");
    pen.drawImage(drawn, 0, 0);
    pen.scale(scale, scale);
    const width = sheet.width / scale, height = sheet.height / scale;
    box(pen, legend, width, height);
    credit(pen, map.getContainer().querySelector(".maplibregl-ctrl-attrib-inner")?.textContent ?? "", width, height);
    sheet.toBlob((blob) => {
      const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `${name}.png` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    });
  });
  map.triggerRepaint();
}

function box(pen, legend, width, height) {
  const colours = [...legend.querySelectorAll(".ramp i")].map((part) => part.style.background);
  const texts = [...legend.querySelectorAll(".bounds span")].map((part) => part.textContent);
  const lines = legend.querySelector("small").textContent.split("; ").filter(Boolean);
  const wide = Math.min(320, width - 24), high = 64 + 14 * lines.length, [x, y] = [width - wide - 12, height - high - 32], step = (wide - 20) / colours.length;
  pen.fillStyle = css("--paper");
  pen.fillRect(x, y, wide, high);
  pen.fillStyle = css("--ink");
  pen.font = '600 12px "Inter Variable", sans-serif';
  pen.fillText(legend.querySelector("h3").textContent, x + 10, y + 20, wide - 20);
  pen.font = '11px "Inter Variable", sans-serif';
  colours.forEach((colour, at) => { pen.fillStyle = colour; pen.fillRect(x + 10 + at * step, y + 30, step, 10); });
  pen.fillStyle = css("--quiet");
  texts.forEach((text, at) => pen.fillText(text, x + 10 + at * step, y + 54, step));
  lines.forEach((line, at) => pen.fillText(line, x + 10, y + 72 + 14 * at, wide - 20));
}

function credit(pen, text, width, height) {
  pen.font = '11px "Inter Variable", sans-serif';
  const wide = Math.min(width, pen.measureText(text).width + 16);
  pen.fillStyle = css("--paper");
  pen.fillRect(width - wide, height - 20, wide, 20);
  pen.fillStyle = css("--quiet");
  pen.fillText(text, width - wide + 8, height - 6, wide - 16);
}
