// A chart as a picture: what is drawn on the page, in its colours, on a canvas of twice the size.
const KEPT = ["fill", "stroke", "stroke-width", "font", "text-anchor", "paint-order"];

async function picture(svg) {
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
  const canvas = Object.assign(document.createElement("canvas"), { width: wide * 2, height: high * 2 });
  const pen = canvas.getContext("2d");
  pen.fillStyle = getComputedStyle(svg.closest(".card")).backgroundColor;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(image, 0, 0);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

for (const button of document.querySelectorAll("[data-png]")) {
  button.addEventListener("click", async () => {
    const url = URL.createObjectURL(await picture(button.closest(".card").querySelector("svg.chart")));
    Object.assign(document.createElement("a"), { href: url, download: button.dataset.png }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  });
}
