"use strict";

// Each figure holds its numbers as JSON beside the place for its chart.
const plots = [];

function colours() {
  const probe = document.createElement("span");
  document.body.append(probe);
  const read = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const found = Object.fromEntries(["ok", "bad", "warn", "odd", "blue", "accent", "dim", "rule"].map((name) => [name, read(name)]));
  probe.remove();
  return found;
}

function spell(unit, value) {
  if (value === null || value === undefined) return "–";
  if (unit === "%") return `${(100 * value).toFixed(0)}%`;
  if (unit === "s") return `${value < 10 ? value.toFixed(2) : value.toFixed(0)}s`;
  if (unit === "$") return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : String(Number(value.toPrecision(2)));
  for (const [size, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) if (Math.abs(value) >= size) return `${Number((value / size).toPrecision(3))}${letter}`;
  return String(value);
}

// Hours of a day, with the date at midnight; or dates alone.
function mark(step, at) {
  const text = new Date(at * 1000).toISOString();
  return step === "hour" && !text.includes("T00:00") ? text.slice(11, 16) : text.slice(5, 10);
}

function draw() {
  for (const plot of plots.splice(0)) plot.destroy();
  const colour = colours();
  for (const figure of document.querySelectorAll(".chart")) {
    const place = figure.querySelector(".plot");
    const chart = JSON.parse(figure.querySelector("script").textContent);
    const bars = chart.kind === "bars";
    const order = bars ? ["ok", "bad", "warn"] : ["blue", "accent", "odd", "ok", "warn", "dim"];
    const data = bars ? stacked(chart.data) : chart.data;
    const few = chart.data[0].length < 3;
    const series = chart.names.map((name, index) => ({
      label: name,
      stroke: colour[order[index % order.length]],
      width: 1.5,
      fill: bars ? colour[order[index % order.length]] : undefined,
      paths: bars ? uPlot.paths.bars({ size: [0.8, 40] }) : undefined,
      points: { show: few && !bars },
      value: (plot, value, at, point) => spell(chart.unit, point === null || point === undefined ? null : chart.data[index + 1][point]),
    }));
    const axis = { stroke: colour.dim, grid: { stroke: colour.rule, width: 1 }, ticks: { show: false }, font: "11px system-ui" };
    plots.push(new uPlot({
      width: place.clientWidth,
      height: 170,
      legend: { live: true },
      cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
      scales: { x: { range: (plot, low, high) => around(low, high, chart) }, y: { range: (plot, low, high) => [0, high > 0 ? high * 1.08 : 1] } },
      axes: [{ ...axis, size: 28, values: (plot, times) => times.map((at) => mark(chart.step, at)) }, { ...axis, size: 52, values: (plot, values) => values.map((value) => spell(chart.unit, value)) }],
      series: [{ value: (plot, value) => value === null || value === undefined ? "–" : new Date(value * 1000).toISOString().slice(0, chart.step === "hour" ? 16 : 10).replace("T", " ") },
        ...(bars ? series.toReversed().map((line, index) => line) : series)],
      tzDate: (at) => uPlot.tzDate(new Date(at * 1e3), "UTC"),
      hooks: { setSelect: [(plot) => zoom(plot, chart)], ready: [newest], setCursor: [newest] },
    }, bars ? [data[0], ...data.slice(1).toReversed()] : data, place));
  }
}

// Where nobody points, the figures under a chart are the newest ones.
function newest(plot) {
  if (plot.cursor.idx === null || plot.cursor.idx === undefined) plot.setLegend({ idx: plot.data[0].length - 1 }, false);
}

// Half a step more on both sides, that no bar is cut; a lone one, of which uPlot makes years, stands amid a few steps.
function around(low, high, chart) {
  const length = chart.step === "hour" ? 3600 : 86400;
  const [only, other] = chart.data[0];
  return other === undefined ? [only - 3.5 * length, only + 3.5 * length] : [low - length / 2, high + length / 2];
}

// The highest is drawn first, so that the others stand before it.
function stacked(data) {
  const sums = data[0].map(() => 0);
  return [data[0], ...data.slice(1).map((line) => line.map((value, index) => (sums[index] += value ?? 0)))];
}

// Dragging over a chart makes that the period.
function zoom(plot, chart) {
  if (plot.select.width < 8) return;
  const length = chart.step === "hour" ? 3600 : 86400;
  const at = (x) => Math.round(plot.posToVal(x, "x") / length) * length;
  const [from, to] = [at(plot.select.left), at(plot.select.left + plot.select.width)];
  const address = new URL(location.href);
  const spelled = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 19) + "+00:00";
  address.searchParams.set("since", spelled(from));
  address.searchParams.set("until", spelled(Math.max(to, from + length)));
  location.href = address.href;
}

let width = innerWidth;
document.addEventListener("theme", draw);
for (const media of ["(prefers-color-scheme: dark)", "print"]) matchMedia(media).addEventListener("change", draw);
addEventListener("resize", () => {
  if (innerWidth === width) return;
  width = innerWidth;
  for (const plot of plots) plot.setSize({ width: plot.root.parentElement.clientWidth, height: 170 });
});
draw();
