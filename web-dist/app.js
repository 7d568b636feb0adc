// Lists applications and jobs as the API tells them. Everything from an archive is set as text, never as markup.
// All addresses are relative, so the page works under any prefix.

const ROWS_SHOWN = 500;
const TASK_STATES = ["created", "scheduled", "deploying", "initializing", "running", "finished", "canceling", "canceled", "failed", "reconciling"];

const time = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const number = new Intl.NumberFormat();

/** Asks again with the tag of the last answer; gives the body, or null when nothing has changed. */
function poller(url) {
  let etag = null;
  return async () => {
    const answer = await fetch(url, { cache: "no-store", headers: etag ? { "If-None-Match": etag } : {} });
    if (answer.status === 304) return null;
    const body = await answer.json();
    if (!answer.ok) throw new Error(body.errors?.[0] ?? `${url} answered ${answer.status}`);
    etag = answer.headers.get("ETag");
    return body;
  };
}

function duration(milliseconds) {
  if (!Number.isFinite(milliseconds) || milliseconds < 0) return "–";
  if (milliseconds < 1000) return `${milliseconds} ms`;
  const seconds = Math.floor(milliseconds / 1000);
  const parts = [[Math.floor(seconds / 86400), "d"], [Math.floor(seconds / 3600) % 24, "h"], [Math.floor(seconds / 60) % 60, "m"], [seconds % 60, "s"]];
  const first = parts.findIndex(([value]) => value > 0);
  return parts.slice(first, first + 2).map(([value, unit]) => `${value} ${unit}`).join(" ");
}

function moment(milliseconds) {
  if (!(milliseconds >= 0)) return document.createTextNode("–");
  const element = document.createElement("time");
  const date = new Date(milliseconds);
  if (Number.isNaN(date.getTime())) return document.createTextNode("–");
  element.dateTime = date.toISOString();
  element.title = element.dateTime;
  element.textContent = time.format(date);
  return element;
}

function counts(object, states) {
  const known = states ?? Object.keys(object ?? {});
  const parts = known.filter((state) => object?.[state] > 0).map((state) => `${object[state]} ${state.toLowerCase()}`);
  return document.createTextNode(parts.join(", ") || "–");
}

function state(text) {
  const element = document.createElement("span");
  element.className = "state";
  if (/^(FINISHED|FAILED|CANCELED)$/.test(text)) element.classList.add(text.toLowerCase());
  element.textContent = text ?? "–";
  return element;
}

function named(name, id, folder) {
  const cell = document.createDocumentFragment();
  const link = document.createElement("a");
  link.href = `${folder}/${encodeURIComponent(id)}`;
  link.textContent = name || "(no name)";
  const small = document.createElement("span");
  small.className = "id";
  small.textContent = id;
  cell.append(link, small);
  return cell;
}

function row(cells) {
  const tr = document.createElement("tr");
  cells.forEach((content, index) => {
    const td = document.createElement("td");
    if (index === 2) td.className = "number";
    td.append(content);
    tr.append(td);
  });
  return tr;
}

const applicationRow = (application) => row([
  named(application.name, application.id, "applications"), moment(application["start-time"]), duration(application.duration),
  moment(application["end-time"]), counts(application.jobs), state(application.status),
]);

const jobRow = (job) => row([
  named(job.name, job.jid, "jobs"), moment(job["start-time"]), duration(job.duration),
  moment(job["end-time"]), counts(job.tasks, TASK_STATES), state(job.state),
]);

/** One list of the page: holds what was last told, shows what the filter lets through. */
function list(section, toRow, textOf) {
  const part = (selector) => section.querySelector(selector);
  let items = null;
  let texts = [];
  let whyEmpty = "";
  function show() {
    if (items === null) return;
    const wanted = part("input").value.trim().toLowerCase();
    const matching = wanted ? items.filter((_, index) => texts[index].includes(wanted)) : items;
    const shown = matching.slice(0, ROWS_SHOWN);
    part("tbody").replaceChildren(...shown.map(toRow));
    part(".scroll").hidden = shown.length === 0;
    part(".empty").hidden = shown.length > 0;
    part(".empty").textContent = items.length === 0 ? whyEmpty : "Nothing matches the filter.";
    const of = wanted ? `${number.format(matching.length)} of ${number.format(items.length)}` : number.format(items.length);
    part(".count").textContent = matching.length > shown.length ? `${of}; the first ${ROWS_SHOWN} are shown, filter to see others` : of;
  }
  part("input").addEventListener("input", show);
  return {
    set(next) {
      items = next;
      texts = next.map((item) => textOf(item).toLowerCase());
      show();
    },
    explain(text) {
      if (text !== whyEmpty) {
        whyEmpty = text;
        if (items?.length === 0) show();
      }
    },
  };
}

const element = (id) => document.getElementById(id);
const applications = list(element("applications"), applicationRow, (item) => `${item.name} ${item.id} ${item.status}`);
const jobs = list(element("jobs"), jobRow, (item) => `${item.name} ${item.jid} ${item.state}`);
const pollApplications = poller("applications/overview");
const pollJobs = poller("jobs/overview");
const pollStatus = poller("api/v1/status");

/** Why there is nothing to see, as far as the server knows. */
function whyEmpty(status) {
  const directories = status.refresh.directories;
  const failed = directories.find((directory) => directory.reason);
  if (failed) return `${failed.url}: ${failed.reason}`;
  if (status.refresh.finished === 0) return "The archive directories are being read for the first time.";
  const names = directories.map((directory) => directory.url).join(", ");
  if (directories.length > 0 && directories.every((directory) => directory.state === "waiting")) return `Waiting for ${names}: it does not exist yet.`;
  return `No archives found in ${names || "the archive directories"}. Clusters write them when jobmanager.archive.fs.dir is set and an application has ended.`;
}

function showStatus(status) {
  const { refresh, figures, problems } = status;
  const parts = [`${number.format(figures.applications)} applications, ${number.format(figures.jobs)} jobs`];
  if (refresh.finished === 0) parts.push(refresh.pending > 0 ? `still indexing: ${number.format(refresh.pending)} to go` : "still indexing");
  else if (refresh.last_finished !== null) parts.push(`last refreshed ${time.format(new Date(refresh.last_finished))}`);
  const unreachable = refresh.directories.filter((directory) => directory.state === "failed" || directory.state === "vanished");
  if (unreachable.length > 0) parts.push(`${unreachable.length} of ${refresh.directories.length} archive directories cannot be read`);
  parts.push(`version ${status.version}`);
  element("summary").textContent = parts.join(" · ");
  element("summary").classList.remove("failed");

  const box = element("problems");
  const lines = problems.shown.map((problem) => {
    const item = document.createElement("li");
    const { directory, file } = problem.subject;
    item.textContent = `${file ? `${directory}/${file}` : directory}: ${problem.reason}`;
    return item;
  });
  box.hidden = lines.length === 0;
  box.querySelector("summary").textContent = problems.total > lines.length
    ? `${number.format(problems.total)} problems, the first ${lines.length}:` : `${number.format(problems.total)} ${problems.total === 1 ? "problem" : "problems"}`;
  box.querySelector("ul").replaceChildren(...lines);
  applications.explain(whyEmpty(status));
  jobs.explain(whyEmpty(status));
}

let interval = 10_000;

async function refresh() {
  let soon = false;
  try {
    const status = await pollStatus();
    if (status) {
      showStatus(status);
      soon = status.refresh.finished === 0;
    }
    const [nextApplications, nextJobs] = await Promise.all([pollApplications(), pollJobs()]);
    if (nextApplications) applications.set(nextApplications.applications);
    if (nextJobs) jobs.set(nextJobs.jobs);
  } catch (error) {
    element("summary").textContent = `The server cannot be reached: ${error.message}`;
    element("summary").classList.add("failed");
  }
  setTimeout(refresh, soon ? 1000 : interval);
}

fetch("config").then((answer) => answer.json()).then((config) => { interval = Math.max(1000, config["refresh-interval"]); }).catch(() => {});
refresh();
