// Draws what the box shows: its picture, a frame around each face, and what to do.
import { ask, enter, follow } from "/server.js";

const element = (id) => document.getElementById(id);
const canvas = element("picture");
const context = canvas.getContext("2d");

function say(text, good) {
  const advice = element("advice");
  // A reader of the screen shall hear it once.
  if (advice.textContent !== text) advice.textContent = text;
  advice.classList.toggle("good", good);
}

function end(text) {
  say(text, false);
  element("left").textContent = "";
  element("stop").disabled = true;
  context.clearRect(0, 0, canvas.width, canvas.height);
}

function draw(look, image) {
  canvas.width = look.width;
  canvas.height = look.height;
  context.drawImage(image, 0, 0, look.width, look.height);
  const unit = look.width / 320;
  context.lineWidth = 1.5 * unit;
  context.font = `600 ${9 * unit}px system-ui, sans-serif`;
  for (const { box: [x, y, w, h] } of look.faces) {
    const side = Math.max(w, h);
    context.strokeStyle = context.fillStyle = side >= look.min_face ? "#6fd08c" : "#ffb454";
    context.strokeRect(x, y, w, h);
    context.fillText(`${side} px`, x, y > 12 * unit ? y - 3 * unit : y + h + 10 * unit);
  }
}

let over = false;

async function show(look) {
  if (look.ended !== undefined) {
    over = true;
    end(`The box shows no more: ${look.ended}.`);
    return;
  }
  say(look.advice, look.good);
  element("left").textContent = `${look.seconds_left} s left`;
  const image = new Image();
  image.src = `data:image/jpeg;base64,${look.jpeg}`;
  await image.decode();
  if (!over) draw(look, image);
}

element("stop").addEventListener("click", async () => {
  element("stop").disabled = true;
  // What comes of it is told as everything else is.
  await ask("POST", "/api/stop").catch(() => {});
});

try {
  await enter();
  await follow("/api/looks", (_, look) => show(look), new AbortController().signal);
} catch (error) {
  if (!over) end(`Nothing more is shown: ${error.message}.`);
}
