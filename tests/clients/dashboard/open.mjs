// Opens every application, every job and every tab of Flink's own dashboard, served over a history server under test:
//
//     node open.mjs BASE_URL ARCHIVE_DIRECTORY...
//
// Each tab must ask for what it asks for in Flink (TABS), everything archived must be answered with 200, and what only a
// living cluster has with 404 or better; no script of the page may fail. Ends with the list of what went otherwise.
// Needs tests/tools/install-flink.sh and tests/tools/install-dashboard-check.sh to have run.

import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { serve } from "./serve.mjs";

const DASHBOARD = fileURLToPath(new URL("../../../.test-tools/flink/web", import.meta.url));
const CHROMIUM = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
};
const PATIENCE = 60_000;

/** The requests of each tab below its application, job or vertex. A tab that is missing here is a failure. */
const APPLICATION_TABS = { Overview: [""], Exceptions: ["", "/exceptions"] };
const JOB_TABS = {
  Overview: [""],
  Exceptions: ["/exceptions"],
  TimeLine: [""],
  Checkpoints: ["/checkpoints", "/checkpoints/config"],
  "Job Configuration": ["/config"],
  Rescales: ["/rescales/overview", "/rescales/config", "/rescales/summary", "/rescales/history"],
  "Cluster Configuration": ["/jobmanager/config", "/jobmanager/environment"],
};
const VERTEX_TABS = {
  Detail: [],
  SubTasks: [""],
  TaskManagers: ["/taskmanagers"],
  Watermarks: ["/watermarks"],
  Accumulators: ["/accumulators", "/subtasks/accumulators"],
  BackPressure: ["/backpressure"],
  Metrics: ["/metrics"],
  FlameGraph: ["/flamegraph"],
};

/** The requests that are made only if there is something to show, or once a page. */
const ASKED_SOMETIMES = {
  "log URL of a JobManager": /\/jobmanager\/log-url$/,
  "log URL of a TaskManager": /\/taskmanagers\/[^/]+\/log-url$/,
  "details of a checkpoint": /\/checkpoints\/details\/\d+$/,
};

/** Never archived: 404 is right, and so is an answer made from what is archived. */
const LIVE_ONLY = [
  /^\/overview$/,
  /\/log-url$/,
  /\/vertices\/[0-9a-f]{32}\/(watermarks|accumulators|backpressure|metrics|flamegraph)$/,
  /\/vertices\/[0-9a-f]{32}\/subtasks\/(metrics|accumulators)$/,
];

/** Errors that the dashboard of Flink 2.3.0 makes over Flink's own history server too. */
const FAULTS_OF_ITS_OWN = [
  /^ERROR ye$/, // an answer of 404 that the Metrics and FlameGraph tabs do not expect
  /Could not resolve relative length/, // the graph of a job is left while it is still being zoomed
  /Cannot read properties of null \(reading 'layout'\)/, // the same, before it is drawn
];

function readArchives(directories) {
  const applications = new Map();
  const jobs = new Map();
  for (const directory of directories) {
    for (const file of fs.readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())) {
      const archive = JSON.parse(fs.readFileSync(path.join(file.parentPath, file.name), "utf8")).archive;
      for (const { path: document, json } of archive) {
        if (/^\/applications\/[0-9a-f]{32}$/.test(document)) applications.set(document.split("/")[2], JSON.parse(json));
        if (/^\/jobs\/[0-9a-f]{32}$/.test(document)) jobs.set(document.split("/")[2], JSON.parse(json));
      }
    }
  }
  return { applications, jobs };
}

class Visit {
  failures = new Set();
  tabs = 0;

  constructor(browser, dashboard) {
    this.browser = browser;
    this.dashboard = dashboard;
    this.record = dashboard.record;
  }

  async start() {
    this.page = await this.browser.newPage({ viewport: { width: 1600, height: 1000 }, reducedMotion: "reduce" });
    this.page.setDefaultTimeout(PATIENCE);
    this.place = "/";
    this.since = 0;
    this.page.on("pageerror", (error) => this.failures.add(`${this.place}: page error: ${error.message}`));
    this.page.on("console", (message) => {
      // Failed requests are in the record of answers.
      const known = message.text().startsWith("Failed to load resource") || FAULTS_OF_ITS_OWN.some((fault) => fault.test(message.text()));
      if (message.type() === "error" && !known) {
        this.failures.add(`${this.place}: ${message.text().split("\n").slice(0, 2).join(" ")}`);
      }
    });
    // Every tab shall ask, whatever the server under test lets a browser keep.
    const devtools = await this.browser.newCDPSession(this.page);
    await devtools.send("Network.enable");
    await devtools.send("Network.setCacheDisabled", { cacheDisabled: true });
    await this.page.goto(this.dashboard.url);
  }

  step(place) {
    this.place = place;
    this.since = this.record.answers.length;
    if (process.env.DASHBOARD_TRACE) console.log(`${(performance.now() / 1000).toFixed(1)} s ${place}`);
  }

  /** To another place of the dashboard, in the same page, as its links do. */
  async go(place) {
    this.step(place);
    await this.page.evaluate((hash) => (window.location.hash = hash), place);
  }

  /** Until these have been answered since the last step, and nothing is waited for. */
  async settle(paths) {
    const end = Date.now() + PATIENCE;
    for (;;) {
      const answered = this.record.answered(this.since);
      const missing = paths.filter((wanted) => !answered.includes(wanted));
      if (missing.length === 0 && this.record.quiet) return;
      if (Date.now() > end) {
        this.failures.add(`${this.place}: not asked for within ${PATIENCE} ms: ${missing.join(", ")}`);
        return;
      }
      await this.page.evaluate(() => new Promise((frame) => requestAnimationFrame(frame)));
    }
  }

  async shows(text) {
    const found = await this.page
      .getByText(text)
      .first()
      .waitFor({ state: "attached" })
      .then(() => true, () => false);
    if (!found) this.failures.add(`${this.place}: does not show "${text}"`);
  }

  /**
   * Clicks every tab of the first or second row of tabs.
   *
   * @param {number} row 0: of an application or job, 1: of the drawer of a vertex
   * @param {Record<string, string[]>} expected what each tab asks for below `base`
   */
  async clickTabs(row, expected, base) {
    const place = this.place;
    const tabs = this.page.locator("flink-navigation").nth(row).locator(".ant-tabs-tab");
    await tabs.first().waitFor();
    const names = (await tabs.allInnerTexts()).map((name) => name.trim());
    for (const [index, name] of names.entries()) {
      // The first one is open, and what it asks for has been asked for.
      if (index > 0) {
        this.step(`${place} > ${name}`);
        await tabs.nth(index).dispatchEvent("click");
      }
      if (expected[name]) await this.settle(expected[name].map((below) => base + below));
      else this.failures.add(`${this.place}: a tab that this check does not know`);
      this.tabs += 1;
    }
    return names;
  }

  /** Tabs within a tab (of checkpoints, rescales, exceptions), which show parts of what has been fetched. */
  async clickInnerTabs() {
    const place = this.place;
    const inner = this.page.locator("nz-tabset .ant-tabs-tab");
    for (let index = 0; index < (await inner.count()); index++) {
      if (await inner.nth(index).locator("xpath=ancestor::flink-navigation").count()) continue;
      this.step(`${place} > ${await inner.nth(index).innerText()}`);
      await inner.nth(index).dispatchEvent("click");
      await this.settle([]);
      this.tabs += 1;
    }
  }
}

async function visitApplications(visit, applications) {
  for (const [id, application] of applications) {
    await visit.go("/application/completed");
    await visit.settle(["/applications/overview"]);
    await visit.go(`/application/completed/${id}/overview`);
    await visit.shows(application.name);
    await visit.clickTabs(0, APPLICATION_TABS, `/applications/${id}`);
  }
}

async function visitJobs(visit, jobs) {
  for (const [id, job] of jobs) {
    await visit.go("/job/completed");
    await visit.settle(["/jobs/overview"]);
    await visit.go(`/job/completed/${id}/overview`);
    await visit.settle([`/jobs/${id}`]);
    await visit.shows(job.name);
    const tabs = await visit.clickTabs(0, JOB_TABS, `/jobs/${id}`);
    for (const tab of ["checkpoints", "rescales"]) {
      if (tabs.some((name) => name.toLowerCase() === tab)) {
        await visit.go(`/job/completed/${id}/${tab}`);
        await visit.settle([`/jobs/${id}/${tab}${tab === "rescales" ? "/overview" : ""}`]);
        await visit.clickInnerTabs();
      }
    }
    const expected = job.schedulerType === "Adaptive";
    if (tabs.includes("Rescales") !== expected) visit.failures.add(`${visit.place}: ${tabs.join(", ")} are the tabs of a job of scheduler ${job.schedulerType}`);
  }
}

/** The drawer of a vertex, for one job of each kind: its tabs take longest, and mostly show what is not archived. */
async function visitVertices(visit, jobs) {
  const kinds = new Map([...jobs].map(([id, job]) => [`${job.state} ${job.schedulerType}`, [id, job]]));
  for (const [id, job] of kinds.values()) {
    await visit.go("/job/completed");
    await visit.settle(["/jobs/overview"]);
    const vertex = job.vertices[0];
    await visit.go(`/job/completed/${id}/overview/${vertex.id}/detail`);
    await visit.settle([`/jobs/${id}`]);
    await visit.clickTabs(1, VERTEX_TABS, `/jobs/${id}/vertices/${vertex.id}`);
  }
}

async function visitAll(visit, { applications, jobs }) {
  await visit.start();
  await visit.settle(["/config", "/overview", "/applications/overview"]);
  await visit.go("/application/completed");
  for (const application of applications.values()) await visit.shows(application.name);
  await visit.go("/job/completed");
  for (const job of jobs.values()) await visit.shows(job.name);
  await visitApplications(visit, applications);
  await visitJobs(visit, jobs);
  await visitVertices(visit, jobs);
  const asked = visit.record.answered(0);
  for (const [name, pattern] of Object.entries(ASKED_SOMETIMES)) {
    if (!asked.some((path) => pattern.test(path))) visit.failures.add(`${name} was never asked for`);
  }
}

const [base, ...directories] = process.argv.slice(2);
const dashboard = await serve(DASHBOARD, base);
const browser = await chromium.launch(CHROMIUM);
const visit = new Visit(await browser.newContext({ viewport: { width: 1600, height: 1000 } }), dashboard);
const archives = readArchives(directories);
try {
  await visitAll(visit, archives);
} finally {
  await browser.close();
  dashboard.stop();
}
for (const { path: asked, status } of dashboard.record.answers) {
  const allowed = LIVE_ONLY.some((pattern) => pattern.test(asked.split("?")[0])) ? [200, 404] : [200];
  if (!allowed.includes(status) && status !== "given up") visit.failures.add(`${asked}: status ${status}`);
}
for (const failure of [...visit.failures].slice(0, 40)) console.log(failure);
console.log(`${archives.applications.size} applications, ${archives.jobs.size} jobs, ${visit.tabs} tabs, ${dashboard.record.answers.length} requests, ${visit.failures.size} failures`);
process.exitCode = visit.failures.size === 0 ? 0 : 1;
