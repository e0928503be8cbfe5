// What the page does in Firefox, as JSON: node tests/firefox.mjs FIREFOX ADDRESS. Puppeteer comes from docs/node_modules.

import { createRequire } from "node:module";
const { resolve } = createRequire(new URL("../docs/package.json", import.meta.url));
const { default: puppeteer } = await import(resolve("puppeteer-core"));

const [executablePath, address] = process.argv.slice(2);
const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const browser = await puppeteer.launch({ browser: "firefox", executablePath, headless: true });
const page = await browser.newPage();
const errors = [];
const requests = [];
page.on("console", (said) => ["error", "warn"].includes(said.type()) && errors.push(said.text()));
page.on("pageerror", (error) => errors.push(String(error)));
page.on("request", (request) => requests.push(request.url()));

async function until(condition) {
  for (let i = 0; i < 600; i++) {
    if (await page.evaluate(condition)) return;
    await wait(50);
  }
  throw new Error(`never true: ${condition}`);
}
async function open(fragment, width, height) {
  await page.setViewport({ width, height });
  await page.goto("about:blank");
  await page.goto(address + fragment);
  await until("document.querySelectorAll('svg.drawing').length > 0");
  await wait(1000);
}

const found = { widths: {} };
for (const width of [320, 390, 1280]) {
  await open("", width, 800);
  found.widths[width] = await page.evaluate("document.documentElement.scrollWidth");
}
found.drawn = await page.evaluate(
  "[...document.querySelectorAll('svg.drawing')].filter((each) => each.querySelector('path, rect, text')).length",
);
found.pictures = await page.evaluate("document.querySelectorAll('svg.drawing').length");
found.engine = await page.evaluate(() => {
  const { gpt, untrained, tokensOf, docs } = microgpt.live.run.value;
  const gradients = new Float64Array(gpt.count);
  const loss = gpt.explicit(untrained, tokensOf(docs[0]), gradients);
  return [loss, [...gradients]];
});

await page.focus("[data-picture=lab] input[type=text]");
await page.keyboard.press("End");
await page.keyboard.type("a");
await page.keyboard.press("Escape");
found.typed = await page.evaluate("microgpt.live.typed.value.name");

await page.evaluate(() => {
  const { live } = microgpt;
  live.fast.value = true;
  live.plan.value = { ...live.plan.value, steps: 100 };
});
await page.keyboard.press("g");
await until("!microgpt.live.progress.value.running && microgpt.live.progress.value.step === 100");
found.losses = await page.evaluate("[...microgpt.live.losses]");
await page.evaluate("microgpt.live.goTo(20)");
await until("microgpt.live.state.value.step === 20");
await page.keyboard.press("v");
await until("document.querySelector('[data-picture=lab] .speech').childElementCount > 0");

const line = await page.evaluate("document.querySelectorAll('.row[id]')[60].id");
await open(`#${line}`, 1280, 800);
found.line = await page.evaluate(`document.getElementById("${line}").getBoundingClientRect().top`);
await page.keyboard.press("l");
await wait(700);
const spoken = () => page.evaluate("document.getElementById('spoken').textContent");
found.slides = [await spoken()];
for (const key of ["PageDown", "ArrowRight", " ", "PageUp"]) {
  await page.keyboard.press(key);
  await wait(200);
  found.slides.push(await spoken());
}
await page.keyboard.press("Escape");
await wait(300);
found.lecture = await page.evaluate("microgpt.settings.value.lecture");

console.log(JSON.stringify({ ...found, errors, requests }));
await browser.close();
