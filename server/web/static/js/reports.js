// A chart as a picture: what is drawn on the page, in its colours, on a canvas of twice the size, with what it shows above it.
const HEAD = 52;
const KEPT = ["fill", "stroke", "stroke-width", "font", "text-anchor", "paint-order"];

async function picture(svg, { title, told }) {
  const copy = svg.cloneNode(true);
  const drawn = svg.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((part, place) => {
    const style = getComputedStyle(drawn[place]);
    for (const name of KEPT) part.style.setProperty(name, style.getPropertyValue(name));
  });
  const [, , wide, high] = svg.getAttribute("viewBox").split(" ").map(Number);
  copy.setAttribute("width", wide * 2);
  copy.setAttribute("height", high * 2);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: wide * 2, height: (high + HEAD) * 2 });
  const pen = canvas.getContext("2d");
  pen.fillStyle = getComputedStyle(svg.closest(".card")).backgroundColor;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, HEAD * 2);
  pen.scale(2, 2);
  const style = getComputedStyle(document.body);
  pen.fillStyle = style.color;
  pen.font = `600 16px ${style.fontFamily}`;
  pen.fillText(title, 12, 22, wide - 24);
  pen.font = `12px ${style.fontFamily}`;
  pen.fillText(told, 12, 42, wide - 24);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

/** The chart beside a button: of the two that are drawn, the one that is seen. */
const shown = (button) => [...button.closest(".card").querySelectorAll("svg.chart")].find((one) => getComputedStyle(one).display !== "none");

for (const button of document.querySelectorAll("[data-png]")) {
  button.addEventListener("click", async () => {
    const url = URL.createObjectURL(await picture(shown(button), button.dataset));
    Object.assign(document.createElement("a"), { href: url, download: button.dataset.png }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  });
}
