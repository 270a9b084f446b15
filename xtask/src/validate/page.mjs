// Opens the HTML reports in a browser: what they load, how long they take, and
// what they look like (pictures beside them, to be looked at).
//
//     node page.mjs NPM BROWSER REPORTS

import { createRequire } from "node:module";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [npm, browserName, reports] = process.argv.slice(2);
const puppeteer = createRequire(join(npm, "package.json"))("puppeteer-core");
const executable = browserName.includes("/") ? browserName : `/usr/bin/${browserName}`;
const MOST = 2000;

function wrong(what) {
  console.error(`wrong: ${what}`);
  process.exit(1);
}

const browser = await (puppeteer.default ?? puppeteer).launch({
  executablePath: executable,
  args: ["--no-sandbox", "--disable-gpu"],
  protocolTimeout: 600_000,
});
// What the page's main thread worked, in milliseconds of the processor: unlike the clock,
// it says the same on a machine that is busy with something else.
const worked = async (session) => {
  const { metrics } = await session.send("Performance.getMetrics");
  return 1000 * metrics.find(({ name }) => name === "TaskDuration").value;
};
const open = async (name, options = {}) => {
  const file = join(reports, name, "page.html");
  copyFileSync(join(reports, name, "html"), file);
  const page = await browser.newPage();
  const said = [];
  const loaded = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("dialog", (dialog) => said.push(`a dialog: ${dialog.message()}`));
  page.on("request", (request) => loaded.push(request.url()));
  await page.setViewport({ width: options.width ?? 1200, height: options.height ?? 1000 });
  await page.setJavaScriptEnabled(options.script ?? true);
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: options.scheme ?? "light" }]);
  const session = await page.createCDPSession();
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const started = performance.now();
  await page.goto(pathToFileURL(file).href, { waitUntil: "load", timeout: 300_000 });
  if (options.script ?? true) {
    // Until it has been drawn, too.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
  }
  const took = performance.now() - started;
  if (said.length > 0) wrong(`${name}: the browser says: ${said[0]}`);
  const others = loaded.filter((url) => !url.startsWith("file:"));
  if (loaded.length !== 1 || others.length > 0) wrong(`${name}: it loads ${loaded.join(", ")}`);
  return { page, took, work: await worked(session), session };
};

// 5,000 findings open, and each kind of filter shows what it should, soon.
const { page, took, work, session } = await open("page");
const filter = (field, value) =>
  page.evaluate(
    (field, value) =>
      new Promise((done) => {
        const element = document.getElementById("filters").elements[field];
        const started = performance.now();
        element.value = value;
        element.dispatchEvent(new Event("input", { bubbles: true }));
        requestAnimationFrame(() =>
          setTimeout(() =>
            done({
              took: performance.now() - started,
              shown: document.querySelectorAll(".finding:not([hidden])").length,
            }),
          ),
        );
      }),
    field,
    value,
  );
const all = await page.$$eval(".finding", (found) => found.length);
if (all !== 5000) wrong(`${all} findings`);
let slowest = 0;
let hardest = 0;
let before = work;
for (const [field, value, expected] of [
  ["text", "00042.blob", 5],
  ["text", "page/03 00042", 1],
  ["text", "", 5000],
  ["severity", "critical", 0],
  ["severity", "error", 5000],
  ["effect", "warns", 0],
  ["effect", "blocks", 5000],
  ["plugin", "gate", 5000],
  ["model", "page/03", 1000],
]) {
  const came = await filter(field, value);
  slowest = Math.max(slowest, came.took);
  const after = await worked(session);
  hardest = Math.max(hardest, after - before);
  before = after;
  if (came.shown !== expected) wrong(`${field}=${value} shows ${came.shown}, not ${expected}`);
}
const opened = `opened in ${work.toFixed(0)} ms of the processor (${took.toFixed(0)} by the clock)`;
const filtered = `filtered in ${hardest.toFixed(0)} (${slowest.toFixed(0)})`;
if (work > MOST || hardest > MOST) wrong(`5,000 findings: ${opened}, ${filtered}`);
console.log(`5,000 findings: ${opened}, ${filtered}`);

// Hostile names do nothing, nothing but the page itself is loaded.
for (const name of ["hostile", "empty", "small", "many"]) {
  const { page } = await open(name);
  await page.close();
}
// Without a script every finding is there, and no filter that would do nothing.
const bare = await open("hostile", { script: false });
const isHidden = await bare.page.$eval("#filters", (form) => form.hidden);
const listed = await bare.page.$$eval(".finding", (found) => found.filter((one) => !one.hidden).length);
if (!isHidden || listed === 0) wrong(`without scripts: ${listed} findings`);
console.log("nothing loaded, nothing said, whole without scripts");

for (const [name, options] of [
  ["light", {}],
  ["dark", { scheme: "dark" }],
  ["narrow", { width: 390, height: 844 }],
]) {
  for (const report of ["small", "hostile", "page"]) {
    const { page } = await open(report, options);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
    if (wide) wrong(`${report}, ${name}: it is wider than the window`);
    await page.screenshot({ path: join(reports, report, `${name}.png`) });
    await page.close();
  }
}
await browser.close();
