// Put into a page before its scripts run: keeps every layout shift that nobody asked for, with what moved.
window.shifts = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) {
    if (one.hadRecentInput) continue;
    const moved = one.sources.slice(0, 3).map(({ node }) => node?.id ? `#${node.id}` : node?.className ? `.${String(node.className).split(" ")[0]}` : node?.nodeName ?? "");
    window.shifts.push({ value: one.value, moved });
  }
}).observe({ type: "layout-shift", buffered: true });

/** What is wrong with the page as it stands. */
window.measured = () => ({
  shifts: window.shifts,
  wider: document.documentElement.scrollWidth - innerWidth,
  clipped: [...document.querySelectorAll("h1, h2, h3, button, .button, .figure, label, th")]
    .filter((one) => one.offsetParent && !one.closest(".sr-only, .rail, details:not([open])") && one.clientWidth > 0)
    .filter((one) => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== "visible")
    .map((one) => one.textContent.trim().slice(0, 40)).slice(0, 5),
});
