// An experiment on the page: its controls, and what the kernel makes of them.
//
// One question is in flight at a time. Of those that come up meanwhile the newest is kept, so that a drag may skip
// pictures but never its last one. A training is a row of such questions, each asked when the last answer is shown.

const BUSY = "The kernel is busy with a cell; the picture follows. If the kernel was restarted, run this cell again.";
const PATIENCE = 2500; // milliseconds until that is said
const ENDED = "The training has ended. Reset begins it anew.";

function render({ model, el }) {
  const sent = structuredClone(model.get("sent"));
  const controls = element("div", { className: "controls" });
  const outputs = element("div", { className: "outputs" });
  const note = element("p", { className: "note", role: "status" });
  const error = element("p", { className: "error", role: "alert" });
  const title = element("h4", { textContent: model.get("title") });
  const root = element("section", { className: "course-experiment", ariaLabel: model.get("title") });
  root.append(title, element("div", { className: "sides" }, controls, outputs), note, error);

  let last = model.get("frame").id; // number of the newest question
  let flight = null; // number of the one that has no answer yet
  let waiting = null; // the one to ask after it
  let playing = false;
  let timer;
  const panels = {};

  function ask(step) {
    // A control that was moved begins a training anew, even if a step is asked for before the kernel knows.
    const question = { id: ++last, sent, step: step && (waiting?.step ?? true) };
    if (flight === null) post(question);
    else waiting = question;
  }

  function post(question) {
    flight = question.id;
    timer = setTimeout(() => (note.textContent = BUSY), PATIENCE);
    model.send(question);
  }

  function show(frame) {
    for (const { label, shape, data, scene } of frame.outputs ?? []) {
      panels[label] ??= PANELS[scene ? "scene" : shape.length](label, outputs);
      panels[label].show(shape.length === 4 ? bytes(data) : floats(data), shape, scene);
    }
    note.textContent = frame.ended ? ENDED : "";
    error.textContent = frame.error ?? "";
    if (frame.ended || frame.error) play(false);
    root.dataset.shown = frame.id; // what tests and measurements wait for
  }

  function answered() {
    const frame = model.get("frame");
    show(frame);
    if (frame.id !== flight) return; // the answer to another view of this experiment
    clearTimeout(timer);
    flight = null;
    if (waiting) post(waiting);
    else if (playing) requestAnimationFrame(() => playing && flight === null && ask(true));
    waiting = null;
  }

  function play(on) {
    playing = on;
    playButton.textContent = on ? "Pause" : "Play";
    if (on) ask(true);
  }

  function anew() {
    play(false);
    for (const panel of Object.values(panels)) panel.keep?.();
    ask(false);
  }

  const parts = {}; // the controls' elements, by name
  for (const control of model.get("controls")) {
    const moved = (value) => {
      sent[control.name] = value;
      root.dataset.asked = last + 1;
      model.get("trains") ? anew() : ask(false);
    };
    parts[control.name] = CONTROLS[control.kind](control, sent[control.name], moved);
    controls.append(parts[control.name]);
  }
  for (const { name, over } of model.get("controls")) if (over) layUnder(parts[name].querySelector(".paper"), parts[over]);
  const playButton = button("Play", () => play(!playing));
  if (model.get("trains")) {
    const step = button("Step", () => { play(false); ask(true); });
    controls.append(element("div", { className: "buttons" }, playButton, step, button("Reset", anew)));
  }

  // Keys move the controls, and do not run or fold JupyterLab's cells.
  for (const one of root.querySelectorAll("input, button, [tabindex]")) one.dataset.lmSuppressShortcuts = "true";

  show(model.get("frame"));
  el.append(root);
  model.on("change:frame", answered);
  return () => { // the cell is run again, or its page is closed
    playing = false;
    clearTimeout(timer);
    model.off("change:frame", answered);
  };
}

// Controls: each returns an element, and calls moved(value) when the reader moves it.

const CONTROLS = {
  slider({ label, texts }, start, moved) {
    const value = element("b", { textContent: texts[start], ariaHidden: true }); // aria-valuetext says it
    const input = element("input", { type: "range", min: 0, max: texts.length - 1, value: start });
    input.setAttribute("aria-valuetext", texts[start]);
    input.addEventListener("input", () => {
      value.textContent = texts[input.value];
      input.setAttribute("aria-valuetext", texts[input.value]);
      moved(Number(input.value));
    });
    return element("label", { className: "slider" }, element("span", {}, label, " ", value), input);
  },

  pick({ name, label, names, pictures }, start, moved) {
    const [count, , height, width] = pictures.shape;
    const group = `${name}-${crypto.randomUUID()}`;
    const choices = names.map((text, i) => {
      const input = element("input", { type: "radio", name: group, ariaLabel: text, checked: i === start });
      input.addEventListener("change", () => moved(i));
      const canvas = element("canvas", { width, height });
      paint(canvas, bytes(pictures.data).subarray(i * width * height), 1, width, height, 0);
      return element("label", {}, input, canvas);
    });
    return element("fieldset", { className: "pick" }, element("legend", {}, label), ...choices.slice(0, count));
  },

  pad({ label, low, high, points, classes, named, colors }, start, moved) {
    const span = [high[0] - low[0], high[1] - low[1]];
    const scale = 340 / Math.max(...span); // one scale for both axes: distances on the map are distances of codes
    const [width, height] = span.map((length) => length * scale);
    const canvas = element("canvas", { width: 2 * width, height: 2 * height });
    const point = element("span", { className: "point" });
    const value = element("b", { ariaHidden: true });
    const pad = element("div", { className: "pad", tabIndex: 0, role: "slider", ariaLabel: label }, canvas, point);
    pad.setAttribute("aria-roledescription", "point on a map, moved by the arrow keys");
    pad.style.width = `${width}px`;
    pad.style.height = `${height}px`;
    drawMap(canvas, 2 * scale, low, high, floats(points), bytes(classes), named, colors);

    let at = [...start];
    function place() {
      point.style.left = `${((at[0] - low[0]) / span[0]) * 100}%`;
      point.style.top = `${((high[1] - at[1]) / span[1]) * 100}%`;
      value.textContent = `(${at.map((number) => number.toFixed(1)).join(", ")})`;
      pad.setAttribute("aria-valuetext", value.textContent);
      pad.ariaValueNow = at[0];
    }
    function go(x, y) {
      at = [x, y].map((number, i) => Math.min(high[i], Math.max(low[i], number)));
      place();
      moved(at);
    }
    onDrag(pad, (x, y) => go(low[0] + x * span[0], high[1] - y * span[1]));
    onArrows(pad, (dx, dy, fine) => {
      const step = Math.max(...span) / (fine ? 400 : 50);
      go(at[0] + dx * step, at[1] - dy * step);
    });
    place();
    return element("div", {}, element("span", {}, label, " ", value), pad);
  },

  drawing({ label, size }, start, moved) {
    const canvas = element("canvas", { width: 8 * size, height: 8 * size, tabIndex: 0, role: "application" });
    canvas.ariaLabel = `${label}: arrow keys move the pen, with Shift they draw`;
    const small = element("canvas", { width: size, height: size });
    const pen = element("span", { className: "point" });
    const [big, tiny] = [canvas, small].map((one) => one.getContext("2d", { willReadFrequently: true }));
    Object.assign(big, { lineWidth: 26, lineCap: "round", lineJoin: "round", strokeStyle: "white" });
    paint(small, Uint8Array.from(start), 1, size, size, 0);
    big.drawImage(small, 0, 0, 8 * size, 8 * size);

    function send() {
      tiny.imageSmoothingQuality = "high";
      tiny.drawImage(canvas, 0, 0, size, size);
      moved(Array.from(tiny.getImageData(0, 0, size, size).data.filter((_, i) => i % 4 === 0)));
    }
    let at = [0.5, 0.5];
    function go(x, y, draws) {
      const to = [x, y].map((number) => Math.min(1, Math.max(0, number)));
      if (draws) {
        big.beginPath();
        big.moveTo(8 * size * at[0], 8 * size * at[1]);
        big.lineTo(8 * size * to[0], 8 * size * to[1]);
        big.stroke();
        send();
      }
      at = to;
      pen.style.left = `${100 * x}%`;
      pen.style.top = `${100 * y}%`;
    }
    onDrag(canvas, (x, y, begins) => {
      if (begins) at = [x, y];
      go(x, y, true);
    });
    onArrows(canvas, (dx, dy, shift) => go(at[0] + dx / size, at[1] + dy / size, shift));
    const clear = button("Clear", () => {
      big.fillRect(0, 0, 8 * size, 8 * size);
      send();
    });
    const paper = element("div", { className: "paper" }, canvas, pen);
    return element("div", {}, element("span", {}, label), paper, element("div", { className: "buttons" }, clear));
  },
};

// Show below what is drawn the picture that is picked.
function layUnder(paper, pick) {
  const lay = () => {
    const canvas = pick.querySelector("label:has(:checked) canvas");
    paper.style.backgroundImage = `url(${canvas.toDataURL()})`;
  };
  paper.classList.add("over");
  pick.addEventListener("change", lay);
  lay();
}

// fraction(x, y, begins) of the element's width and height, for mouse, pen and finger.
function onDrag(target, fraction) {
  const tell = (event, begins) => {
    const box = target.getBoundingClientRect();
    fraction((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height, begins);
  };
  target.addEventListener("pointerdown", (event) => {
    event.preventDefault(); // of selecting text, which would also prevent the focus
    target.focus();
    target.setPointerCapture(event.pointerId);
    tell(event, true);
  });
  target.addEventListener("pointermove", (event) => {
    if (target.hasPointerCapture(event.pointerId)) tell(event, false);
  });
}

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function onArrows(target, step) {
  target.addEventListener("keydown", (event) => {
    if (!(event.key in ARROWS)) return;
    event.preventDefault(); // of scrolling
    step(...ARROWS[event.key], event.shiftKey);
  });
}

// Panels by the number of axes of what they show: 0 a number, 1 bars, 2 points of a curve, 3 curves, 4 pictures;
// and a scene: points over a map.

const PANELS = {
  0(label, parent) {
    const value = element("output", {});
    parent.append(element("span", { className: "label" }, label), value);
    return { show: ([number]) => (value.textContent = Number(number.toPrecision(3))) };
  },

  1(label, parent) {
    const plot = new Plot(label, parent);
    return {
      show(values) {
        plot.reach([0.5, values.length + 0.5], [0, ...values]);
        const bar = (y, i) => `M${plot.x(i + 0.6)},${plot.y(0)}V${plot.y(y)}H${plot.x(i + 1.4)}V${plot.y(0)}Z`;
        plot.path("bars", Array.from(values, bar).join(""));
      },
    };
  },

  2(label, parent) {
    const plot = new Plot(label, parent);
    let points = [];
    let before = "";
    const line = (points) => points.map(([x, y], i) => `${i ? "L" : "M"}${plot.x(x)},${plot.y(y)}`).join("");
    return {
      show(values) {
        points = Array.from({ length: values.length / 2 }, (_, i) => [values[2 * i], values[2 * i + 1]]);
        plot.reach(points.map(([x]) => x), [0, ...points.map(([, y]) => y)]);
        plot.path("before", before && line(before));
        plot.path("curve", line(points));
      },
      keep: () => { if (points.length > 1) before = points; }, // the run before stays in sight
    };
  },

  3(label, parent) {
    const plot = new Plot(label, parent);
    return {
      show(values, [count, length]) {
        const pairs = Array.from({ length: count * length }, (_, i) => [values[2 * i], values[2 * i + 1]]);
        plot.reach(pairs.map(([x]) => x), [0, ...pairs.map(([, y]) => y)]);
        for (let c = 0; c < count; c++) {
          const points = pairs.slice(c * length, (c + 1) * length);
          plot.path(`curve c${c}`, points.map(([x, y], i) => `${i ? "L" : "M"}${plot.x(x)},${plot.y(y)}`).join(""));
        }
      },
    };
  },

  4(label, parent) {
    const canvas = element("canvas", { role: "img", ariaLabel: label });
    parent.append(element("span", { className: "label" }, label), canvas);
    return {
      show(values, [count, , height, width]) {
        canvas.style.width = `${Math.min(112 * count, 500)}px`;
        paint(canvas, values, count, width, height, 1);
      },
    };
  },

  scene(label, parent) {
    const size = 640; // two of its pixels for one of the page
    const canvas = element("canvas", { className: "scene", width: size, height: size, role: "img", ariaLabel: label });
    const map = element("canvas", {});
    parent.append(element("span", { className: "label" }, label), canvas);
    return {
      show(values, [height, width], { reach, x_real, x_fake, push }) {
        const context = canvas.getContext("2d");
        const x = (value) => ((value + reach) / (2 * reach)) * size;
        const y = (value) => ((reach - value) / (2 * reach)) * size;
        paint(map, values, 1, width, height, 0, (d) => {
          const shade = Math.min(1, Math.max(0, 2 * d - 0.5)); // from D = 1/4, white, to 3/4, as in the figures
          return [255 - 194 * shade, 255 - 71 * shade, 255 - 111 * shade];
        });
        context.drawImage(map, 0, 0, size, size);
        const [real, fake, way] = [x_real, x_fake, push].map(floats);
        const dots = (points, color) => {
          context.fillStyle = color;
          for (let i = 0; i < points.length; i += 2) context.fillRect(x(points[i]) - 3, y(points[i + 1]) - 3, 6, 6);
        };
        Object.assign(context, { strokeStyle: "#d55e00", lineWidth: 1.5 });
        context.beginPath();
        for (let i = 0; i < fake.length; i += 2) {
          context.moveTo(x(fake[i]), y(fake[i + 1]));
          context.lineTo(x(fake[i] + way[i]), y(fake[i + 1] + way[i + 1]));
        }
        dots(real, "#222222");
        context.stroke();
        dots(fake, "#d55e00");
      },
    };
  },
};

// Axes that only ever grow, so that what moves in them can be compared.
class Plot {
  constructor(label, parent) {
    this.svg = svg("svg", { viewBox: "0 0 420 130", role: "img", "aria-label": label });
    this.texts = { top: [44, 14, "end"], bottom: [44, 112, "end"], left: [50, 127, "start"], right: [416, 127, "end"] };
    for (const [name, [x, y, anchor]] of Object.entries(this.texts)) {
      this.texts[name] = this.svg.appendChild(svg("text", { x, y, "text-anchor": anchor }));
    }
    this.paths = {};
    this.ranges = [[Infinity, -Infinity], [Infinity, -Infinity]];
    parent.append(element("span", { className: "label" }, label), this.svg);
  }
  reach(x, y) {
    [x, y].forEach((values, i) => {
      const finite = Array.from(values).filter(Number.isFinite);
      this.ranges[i] = [Math.min(this.ranges[i][0], ...finite), Math.max(this.ranges[i][1], ...finite)];
    });
    const [[left, right], [bottom, top]] = this.ranges;
    for (const [name, value] of Object.entries({ left: Math.ceil(left), right: Math.floor(right), bottom, top })) {
      this.texts[name].textContent = Number(value.toPrecision(2));
    }
    this.path("axis", `M50,${this.y(0)}H416`);
  }
  x(value) {
    const [left, right] = this.ranges[0];
    return 50 + (366 * (value - left)) / (right - left || 1);
  }
  y(value) {
    const [bottom, top] = this.ranges[1];
    return 112 - (104 * (value - bottom)) / (top - bottom || 1);
  }
  path(name, d) {
    this.paths[name] ??= this.svg.appendChild(svg("path", { class: name }));
    this.paths[name].setAttribute("d", d);
  }
}

// Pictures side by side, `gap` pixels of the page's color between them: gray, or in the colors given for values.
function paint(canvas, values, count, width, height, gap, color = (gray) => [gray, gray, gray]) {
  const whole = new ImageData(count * (width + gap) - gap, height);
  for (let i = 0; i < count; i++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const value = values[(i * height + y) * width + x];
        whole.data.set([...color(value), 255], 4 * (y * whole.width + i * (width + gap) + x));
      }
    }
  }
  if (canvas.width !== whole.width) canvas.width = whole.width; // setting a size clears the canvas
  if (canvas.height !== height) canvas.height = height;
  canvas.getContext("2d").putImageData(whole, 0, 0);
}

// On white in every theme, as the figures are: the colors of the classes were chosen for it.
function drawMap(canvas, scale, low, high, points, classes, named, colors) {
  const context = canvas.getContext("2d");
  const x = (value) => (value - low[0]) * scale;
  const y = (value) => (high[1] - value) * scale;
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  classes.forEach((k, i) => {
    context.fillStyle = colors[k % colors.length];
    context.globalAlpha = 0.6;
    context.fillRect(x(points[2 * i]) - 2, y(points[2 * i + 1]) - 2, 4, 4);
  });
  context.globalAlpha = 1;
  Object.assign(context, { font: "bold 24px sans-serif", textAlign: "center", textBaseline: "middle", lineWidth: 3 });
  for (const [k, middleX, middleY] of named) {
    context.fillStyle = "white";
    context.strokeStyle = colors[k % colors.length];
    context.beginPath();
    context.arc(x(middleX), y(middleY), 18, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
    context.fillStyle = "#222222";
    context.fillText(k, x(middleX), y(middleY) + 2);
  }
}

// Raw bytes come as a DataView into a larger message.
function bytes(data) {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function floats(data) {
  return new Float32Array(bytes(data).slice().buffer); // a copy, for floats must begin at a multiple of 4
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function svg(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function button(text, onclick) {
  return element("button", { type: "button", textContent: text, onclick });
}

export default { render };
