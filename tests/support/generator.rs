//! Makes archives as Flink writes them, any number and size, from real ones: with ids, names and times of their own, which are replaced
//! wherever they occur, in documents, entry paths and file names. The same seed gives the same archives.

#![allow(dead_code, reason = "the example and the tests each use what they need")]

use std::fs::{self, File, FileTimes};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use super::template::{JobTemplate, Shape, Template, archives_in, legacy_jobs_in};

/// What to make.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// Archive directory of Flink 2.3 to take applications from.
    pub(crate) from: PathBuf,
    /// Directories of flat job archives to take legacy jobs from.
    pub(crate) legacy_from: Vec<PathBuf>,
    /// Number of applications.
    pub(crate) applications: u64,
    /// Number of flat job archives.
    pub(crate) legacy_jobs: u64,
    /// Number of clusters that the applications are spread over.
    pub(crate) clusters: u64,
    /// Chooses ids.
    pub(crate) seed: u64,
    /// Start of the first application, milliseconds since 1970.
    pub(crate) start_time: i64,
    /// Milliseconds over which starts are spread evenly.
    pub(crate) spread: i64,
    /// Applications of more bytes are not taken, except where no smaller one has their state.
    pub(crate) most_bytes: u64,
}

impl Default for Plan {
    fn default() -> Self {
        let archives = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/archives");
        Self {
            from: archives.join("flink-2.3.0"),
            legacy_from: vec![archives.join("flink-1.20.5"), archives.join("flink-2.2.1")],
            applications: 0,
            legacy_jobs: 0,
            clusters: 1,
            seed: 1,
            start_time: 1_795_000_000_000,
            spread: 30 * 24 * 3_600_000,
            most_bytes: 120_000,
        }
    }
}

/// What was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Made {
    /// Archive files.
    pub(crate) files: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
}

/// One job archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MadeJob {
    /// 32 hex digits.
    pub(crate) id: String,
    /// End, milliseconds since 1970.
    pub(crate) end: i64,
    /// Content of the file.
    pub(crate) archive: String,
}

/// One application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MadeApplication {
    /// Name of the cluster's folder.
    pub(crate) cluster: String,
    /// 32 hex digits.
    pub(crate) id: String,
    /// Name as the overview tells it.
    pub(crate) name: String,
    /// End, milliseconds since 1970.
    pub(crate) end: i64,
    /// Content of `application-summary`.
    pub(crate) summary: String,
    /// Its jobs.
    pub(crate) jobs: Vec<MadeJob>,
}

/// Makes archives by their number: each on its own, so that any number of threads can.
#[derive(Debug)]
pub(crate) struct Generator {
    plan: Plan,
    applications: Vec<Template>,
    /// Positions in `applications` of those that are only there for their state, and come rarely.
    rare: Vec<usize>,
    legacy_jobs: Vec<JobTemplate>,
}

/// Of so many applications, one has a state that no small one has.
const RARE: u64 = 14;

impl Generator {
    /// Reads the real archives.
    ///
    /// # Errors
    /// They cannot be read, or are none.
    pub(crate) fn new(plan: Plan) -> io::Result<Self> {
        let mut applications = if plan.applications > 0 { archives_in(&plan.from)? } else { Vec::new() };
        applications.sort_by_key(Template::bytes);
        let mut states: Vec<String> = Vec::new();
        let mut rare = Vec::new();
        let mut kept = Vec::new();
        for application in applications {
            let small = application.bytes() <= plan.most_bytes;
            let known = states.contains(&application.state);
            if small || !known {
                if !small {
                    rare.push(kept.len());
                }
                if !known {
                    states.push(application.state.clone());
                }
                kept.push(application);
            }
        }
        let mut legacy_jobs = Vec::new();
        if plan.legacy_jobs > 0 {
            for folder in &plan.legacy_from {
                legacy_jobs.extend(legacy_jobs_in(folder)?);
            }
        }
        if (plan.applications > 0 && kept.len() == rare.len()) || (plan.legacy_jobs > 0 && legacy_jobs.is_empty()) {
            return Err(io::Error::other("found no archives to make others from: check --from, --legacy-from and --most-bytes"));
        }
        Ok(Self { plan, applications: kept, rare, legacy_jobs })
    }

    /// Application `number` of the plan.
    #[must_use]
    pub(crate) fn application(&self, number: u64) -> MadeApplication {
        let common: Vec<usize> = (0..self.applications.len()).filter(|index| !self.rare.contains(index)).collect();
        let index = if !self.rare.is_empty() && number % RARE == RARE - 1 {
            self.rare[pick(number / RARE, self.rare.len())]
        } else {
            common[pick(number, common.len())]
        };
        let template = &self.applications[index];
        let cluster = number % self.plan.clusters.max(1);
        let shape = Shape {
            ids: (0..template.ids()).map(|id| hex_id(self.plan.seed, number, id as u64 + 1)).collect(),
            suffix: format!(" {number}"),
            shift: self.start_of(number, self.plan.applications) - template.start,
        };
        MadeApplication {
            cluster: if cluster == 0 { "0".repeat(32) } else { hex_id(self.plan.seed, cluster, 0) },
            id: shape.ids[0].clone(),
            name: template.name(&shape),
            end: template.end + shape.shift,
            summary: template.summary.render(&shape),
            jobs: template.jobs.iter().map(|job| job.make(&shape)).collect(),
        }
    }

    /// Flat job archive `number` of the plan.
    #[must_use]
    pub(crate) fn legacy_job(&self, number: u64) -> MadeJob {
        let template = &self.legacy_jobs[pick(number, self.legacy_jobs.len())];
        template.make(&Shape {
            ids: vec![hex_id(self.plan.seed, number, u64::MAX)],
            suffix: format!(" {number}"),
            shift: self.start_of(number, self.plan.legacy_jobs) - template.start,
        })
    }

    fn start_of(&self, number: u64, of: u64) -> i64 {
        let spread = i128::from(self.plan.spread) * i128::from(number) / i128::from(of.max(1));
        self.plan.start_time + i64::try_from(spread).unwrap_or(i64::MAX / 4)
    }

    /// Writes all archives below a folder, in the order that Flink does: the summary of an application last.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn write_all(&self, out: &Path) -> io::Result<Made> {
        fs::create_dir_all(out)?;
        let next = AtomicU64::new(0);
        let work = || {
            let mut made = Made::default();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number < self.plan.applications {
                    self.application(number).write(out, &mut made)?;
                } else if number - self.plan.applications < self.plan.legacy_jobs {
                    let job = self.legacy_job(number - self.plan.applications);
                    made.write(&out.join(&job.id), &job.archive, job.end)?;
                } else {
                    return io::Result::Ok(made);
                }
            }
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let made: Vec<io::Result<Made>> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let join = |worker: std::thread::ScopedJoinHandle<'_, io::Result<Made>>| {
                worker.join().unwrap_or_else(|_| Err(io::Error::other("a thread that writes archives has panicked")))
            };
            workers.into_iter().map(join).collect()
        });
        made.into_iter().try_fold(Made::default(), |sum, made| {
            let made = made?;
            Ok(Made { files: sum.files + made.files, bytes: sum.bytes + made.bytes })
        })
    }
}

impl MadeApplication {
    /// Writes the application below an archive directory, job archives first.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn write(&self, out: &Path, made: &mut Made) -> io::Result<()> {
        let folder = out.join(&self.cluster).join("applications").join(&self.id);
        if self.jobs.is_empty() {
            fs::create_dir_all(&folder)?;
        } else {
            let jobs = folder.join("jobs");
            fs::create_dir_all(&jobs)?;
            for job in &self.jobs {
                made.write(&jobs.join(&job.id), &job.archive, job.end)?;
            }
            set_time(&jobs, self.end)?;
        }
        made.write(&folder.join("application-summary"), &self.summary, self.end)?;
        set_time(&folder, self.end)
    }
}

impl Made {
    fn write(&mut self, path: &Path, content: &str, time: i64) -> io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(content.as_bytes())?;
        file.set_times(file_times(time))?;
        self.files += 1;
        self.bytes += content.len() as u64;
        Ok(())
    }
}

fn set_time(path: &Path, time: i64) -> io::Result<()> {
    File::open(path)?.set_times(file_times(time))
}

fn file_times(time: i64) -> FileTimes {
    let time = UNIX_EPOCH + Duration::from_millis(u64::try_from(time).unwrap_or(0));
    FileTimes::new().set_accessed(time).set_modified(time)
}

fn pick(number: u64, of: usize) -> usize {
    usize::try_from(number % of.max(1) as u64).unwrap_or(0)
}

/// 32 hex digits that depend on all three numbers and look like none of them.
fn hex_id(seed: u64, number: u64, use_of: u64) -> String {
    let state = [seed, number, use_of].into_iter().fold(0, |state, part| mix(state ^ part));
    format!("{:016x}{:016x}", mix(state), mix(!state))
}

/// The mixing step of Steele, Lea and Flood's `SplitMix64`.
fn mix(number: u64) -> u64 {
    let mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// Size and content of one job archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LargeJob {
    /// Bytes of the archive, about: the last document goes over it.
    pub(crate) bytes: u64,
    /// Bytes of each document, about.
    pub(crate) document_bytes: u64,
    /// Start of the job, milliseconds since 1970; it ran for a minute.
    pub(crate) start: i64,
}

impl LargeJob {
    /// Writes the archive as it is made: nothing of it is held in memory.
    ///
    /// # Errors
    /// What the writer says.
    pub(crate) fn write(&self, id: &str, out: &mut impl Write) -> io::Result<u64> {
        let (start, end) = (self.start, self.start + 60_000);
        let common = format!(
            "\\\"name\\\":\\\"large {}\\\",\\\"state\\\":\\\"FINISHED\\\",\\\"start-time\\\":{start},\\\"end-time\\\":{end},\\\"duration\\\":60000",
            self.bytes
        );
        let head = format!(
            "{{\"archive\":[{{\"path\":\"/jobs/overview\",\"json\":\"{{\\\"jobs\\\":[{{\\\"jid\\\":\\\"{id}\\\",{common},\\\"jobType\\\":\\\"BATCH\\\",\
             \\\"schedulerType\\\":\\\"Default\\\",\\\"last-modification\\\":{end},\\\"pending-operators\\\":0,\
             \\\"tasks\\\":{{\\\"running\\\":0,\\\"canceling\\\":0,\\\"canceled\\\":0,\\\"total\\\":1,\\\"created\\\":0,\
             \\\"scheduled\\\":0,\\\"deploying\\\":0,\\\"reconciling\\\":0,\\\"finished\\\":1,\\\"initializing\\\":0,\\\"failed\\\":0}}}}]}}\"}},\
             {{\"path\":\"/jobs/{id}\",\"json\":\"{{\\\"jid\\\":\\\"{id}\\\",{common},\\\"vertices\\\":[]}}\"}}"
        );
        out.write_all(head.as_bytes())?;
        let mut written = head.len() as u64;
        let mut subtask = 0_u64;
        while written < self.bytes {
            let open = format!(
                ",{{\"path\":\"/jobs/{id}/vertices/bc764cd8ddf7a0cff126f51c16239658/subtasks/{subtask}/attempts/0\",\"json\":\"{{\\\"subtask\\\":{subtask},\\\"values\\\":["
            );
            out.write_all(open.as_bytes())?;
            written += open.len() as u64;
            let mut document = 0_u64;
            let mut value = subtask;
            while document < self.document_bytes {
                value = value.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let comma = if document == 0 { "" } else { "," };
                let item = format!(
                    "{comma}{{\\\"id\\\":\\\"{value:016x}\\\",\\\"read-bytes\\\":{},\\\"status\\\":\\\"FINISHED\\\"}}",
                    value >> 44
                );
                out.write_all(item.as_bytes())?;
                written += item.len() as u64;
                // The document is shorter than its escaped text: by a backslash for each of the ten quotes.
                document += item.len() as u64 - 10;
            }
            out.write_all(b"]}\"}")?;
            written += 4;
            subtask += 1;
        }
        out.write_all(b"]}")?;
        Ok(written + 2)
    }

    /// Writes the archive to a file, with the job's end as its time.
    ///
    /// # Errors
    /// What the file system says.
    pub(crate) fn write_file(&self, id: &str, path: &Path) -> io::Result<u64> {
        let mut out = io::BufWriter::with_capacity(1 << 20, File::create(path)?);
        let written = self.write(id, &mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.set_times(file_times(self.start + 60_000))?;
        Ok(written)
    }

    /// The id that a seed gives.
    #[must_use]
    pub(crate) fn id(seed: u64) -> String {
        hex_id(seed, 0, u64::MAX - 1)
    }
}
