"use strict";
// What was measured, over time: one plot a measure, a line at the frame that is shown; a press goes there.

const INK = "#9a9a9a", GRID = "#3a3a3a", LINE = "#c9c9c9", LIMIT = "#d8a13c", BEYOND = "#e8775f";

class Plots {
  constructor(holder, data, goTo) {
    this.data = data;
    this.goTo = goTo;
    this.holder = holder;
    this.all = [];
    if (data.origins.length) this.add(this.shares());
    for (const measure of data.measures) {
      if (measure.values.some((value) => value !== null)) this.add(this.measure(measure));
    }
    if (data.seconds.some((value) => value !== null)) this.add(this.seconds());
    new ResizeObserver(() => this.resize()).observe(holder);
  }

  add({ title, about, series, values, options, limit, least, key, name }) {
    const value = element("output", { className: "value" });
    const head = element("h3", { title: about }, [element("span", { text: title }), value]);
    const box = element("div", { className: "plot", role: "img", "aria-label": `${title}: ${about}` });
    this.holder.append(element("div", { className: "measure" }, [head, box, ...(key ? [key] : [])]));
    const plot = new uPlot({
      width: this.width(), height: 84, legend: { show: false }, padding: [6, 14, 0, 0],
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false }, sync: { key: "frames" } },
      scales: { x: { time: false }, y: { range: (_, low, high) => bounds(low, high, limit) } },
      axes: [
        { stroke: INK, grid: { show: false }, ticks: { show: false }, size: 20, font: "11px system-ui", values: (_, all) => all.map((one) => Number.isInteger(one) ? one : "") },
        { stroke: INK, grid: { stroke: GRID, width: 1 }, ticks: { show: false }, size: 38, font: "11px system-ui", space: 24 },
      ],
      series: [{}, ...series],
      hooks: limit === undefined ? {} : { draw: [(plotted) => limitLine(plotted, limit)] },
      ...options,
    }, [this.data.frames, ...values], box);
    const line = element("div", { className: "now" });
    plot.over.append(line);
    const follow = (event) => this.goTo(plot.posToIdx(event.clientX - plot.over.getBoundingClientRect().left));
    plot.over.addEventListener("pointerdown", (event) => {
      plot.over.setPointerCapture(event.pointerId);
      follow(event);
    });
    plot.over.addEventListener("pointermove", (event) => {
      if (plot.over.hasPointerCapture(event.pointerId)) follow(event);
    });
    this.all.push({ plot, line, value, shown: values[values.length - 1], limit, least, name });
  }

  measure({ title, about, values, limit: given, least }) {
    const limit = given ?? undefined;
    const beyond = values.map((value) =>
      value !== null && (least ? value < limit : value > limit) ? value : null);
    return {
      title, limit, least,
      about: limit === undefined ? about : `${about}; ${least ? "at least" : "at most"} ${limit}`,
      series: [
        { stroke: BEYOND, width: 0, points: { show: true, size: 6, fill: BEYOND, stroke: BEYOND } },
        { stroke: LINE, width: 1.5, points: { show: values.length === 1 } },
      ],
      values: [beyond, values],
    };
  }

  seconds() {
    return {
      title: "Seconds a frame", about: "from the render's journal",
      series: [{ stroke: LINE, width: 1.5, points: { show: false } }],
      values: [this.data.seconds],
    };
  }

  // Stacked, the best known at the bottom: drawn from the top of the stack down.
  shares() {
    const stacked = this.data.origins.map((_, upTo) => this.data.frames.map((_, at) => {
      const parts = this.data.origins.slice(0, upTo + 1).map((one) => one.values[at]);
      return parts.some((part) => part === null) ? null : parts.reduce((sum, part) => sum + part, 0) * 100;
    }));
    const painted = this.data.origins.map(({ color }) => color);
    const key = this.data.origins.map(({ title }, at) => {
      const mark = element("i");
      mark.style.background = painted[at];
      return element("span", {}, [mark, title]);
    });
    return {
      key: element("p", { className: "key" }, key), name: this.data.origins[0].title.split(",")[0],
      title: "Where the hole's pixels come from, %", about: "share of the hole, by the render's journal",
      series: painted.toReversed().map((color) => ({ stroke: color, fill: color, width: 0, points: { show: false } })),
      values: stacked.toReversed(),
      options: { scales: { x: { time: false }, y: { range: [0, 100] } } },
    };
  }

  width() {
    return Math.max(160, this.holder.firstElementChild?.clientWidth ?? this.holder.clientWidth);
  }

  resize() {
    for (const { plot } of this.all) plot.setSize({ width: this.width(), height: 84 });
    this.at(this.now ?? 0);
  }

  at(index) {
    this.now = index;
    for (const { plot, line, value, shown, limit, least, name } of this.all) {
      const x = plot.valToPos(this.data.frames[index], "x");
      line.style.transform = `translateX(${Math.round(x)}px)`;
      const here = shown[index];
      value.textContent = here === null || here === undefined ? "" : `${name ? `${name} ` : ""}${Number(here.toPrecision(3))}`;
      const bad = limit !== undefined && here !== null && (least ? here < limit : here > limit);
      value.classList.toggle("bad", bad);
    }
  }
}

function bounds(low, high, limit) {
  const least = Math.min(0, low ?? 0);
  const most = Math.max(high ?? 1, limit === undefined ? 0 : limit * 1.1);
  return [least, most > least ? most * 1.05 : least + 1];
}

function limitLine(plotted, limit) {
  const y = Math.round(plotted.valToPos(limit, "y", true)) + 0.5;
  const { left, width } = plotted.bbox;
  const pen = plotted.ctx;
  pen.save();
  pen.strokeStyle = LIMIT;
  pen.lineWidth = devicePixelRatio;
  pen.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  pen.beginPath();
  pen.moveTo(left, y);
  pen.lineTo(left + width, y);
  pen.stroke();
  pen.restore();
}
