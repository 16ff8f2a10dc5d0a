// The page "Mute red yourself": shows the frame that the slider points to, and says what it shows.
"use strict";

(() => {
  const { widths, hues, inside, colors, errors } = muteRedFrames;
  const slider = document.getElementById("mute-red-width");
  const said = document.getElementById("mute-red-said");
  const list = document.getElementById("mute-red-hues");

  // a canvas for each piece of a panel; frames lie side by side in one image
  const panels = [...document.querySelectorAll(".mute-red-frames")].map((panel) => {
    const sheet = new Image();
    const pieces = panel.dataset.pieces.split(" ").map(Number);
    const canvases = pieces.map((width) => {
      const canvas = panel.appendChild(document.createElement("canvas"));
      canvas.width = width;
      canvas.style.flexGrow = width;
      return canvas;
    });
    sheet.onload = () => {
      canvases.forEach((canvas) => (canvas.height = sheet.naturalHeight));
      show();
    };
    sheet.src = panel.dataset.frames;
    return { sheet, canvases };
  });

  const swatches = hues.map((name) => {
    const item = list.appendChild(document.createElement("li"));
    const swatch = item.appendChild(document.createElement("span"));
    item.append(`${name} `);
    return { swatch, error: item.appendChild(document.createElement("span")) };
  });

  function draw({ sheet, canvases }, frame) {
    if (!sheet.complete || !sheet.naturalWidth) return;
    let left = (frame * sheet.naturalWidth) / widths.length;
    for (const canvas of canvases) {
      const { width, height } = canvas;
      canvas.getContext("2d").drawImage(sheet, left, 0, width, height, 0, 0, width, height);
      left += width;
    }
  }

  function sentence(frame) {
    if (!widths[frame]) return "As trained: nothing is muted.";
    const changed = hues.filter((_, k) => colors[frame][k] !== colors[0][k]);
    const found = `${inside[frame]} of 512 colors; of the twelve hues `;
    return `Muted within ${widths[frame]} degrees: ${found}${changed.join(", ") || "none"}.`;
  }

  function show() {
    const frame = widths.indexOf(Number(slider.value));
    panels.forEach((panel) => draw(panel, frame));
    swatches.forEach(({ swatch, error }, k) => {
      swatch.style.backgroundColor = colors[frame][k];
      error.textContent = (errors[frame][k] / 10000).toFixed(4);
    });
    slider.setAttribute("aria-valuetext", `${slider.value} degrees`);
    said.textContent = sentence(frame);
  }

  document.querySelectorAll(".mute-red, .mute-red-frames").forEach((part) => (part.hidden = false));
  slider.addEventListener("input", show);
  show();
})();
