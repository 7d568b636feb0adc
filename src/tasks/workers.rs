//! A few threads of low priority for expensive computations, so that cheap requests are answered meanwhile.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use tokio::sync::oneshot;
use tracing::Span;

/// Work of the threads, in the order of its submission.
type Job = Box<dyn FnOnce() + Send>;

/// Niceness of these threads: each gets about a third of the processor time of another thread of this process.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 5;

/// Threads that do one job after another. They end when this is dropped.
pub struct Workers {
    /// `None`: no thread could be started.
    jobs: Option<Sender<Job>>,
}

impl Workers {
    /// Starts this number of threads, or as many as the system allows.
    #[must_use]
    pub fn start(name: &str, threads: usize) -> Self {
        let (jobs, waiting) = mpsc::channel();
        let waiting = Arc::new(Mutex::new(waiting));
        let start = |_| {
            let waiting = Arc::clone(&waiting);
            thread::Builder::new().name(name.to_owned()).spawn(move || work(&waiting))
        };
        let started: Vec<_> = (0..threads.max(1)).map(start).collect();
        if let Some(Err(error)) = started.iter().find(|thread| thread.is_err()) {
            tracing::warn!("a thread ({name}) could not be started: {error}; fewer threads do its work");
        }
        Self { jobs: started.iter().any(Result::is_ok).then_some(jobs) }
    }

    /// Runs work on one of the threads, within the current span. A panic of the work is resumed in the caller. If the returned future is
    /// dropped before the work begins, the work is not run.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let Some(jobs) = &self.jobs else { return super::spawn_blocking(work).await };
        let (done, result) = oneshot::channel();
        let span = Span::current();
        let job = Box::new(move || {
            if !done.is_closed() {
                // The caller may have stopped waiting meanwhile.
                let _ = done.send(catch_unwind(AssertUnwindSafe(|| span.in_scope(work))));
            }
        });
        // The threads run as long as this handle exists.
        let _ = jobs.send(job);
        match result.await {
            Ok(Ok(value)) => value,
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_ended) => std::future::pending().await,
        }
    }
}

fn work(waiting: &Mutex<Receiver<Job>>) {
    lower_priority();
    loop {
        let job = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            Ok(job) => job(),
            Err(_closed) => return,
        }
    }
}

/// Lowers the priority of this thread, if the system allows it.
fn lower_priority() {
    // On other systems this would be the priority of the whole process.
    #[cfg(target_os = "linux")]
    let lowered = rustix::process::getpriority_process(None)
        .and_then(|default| rustix::process::setpriority_process(None, default.saturating_add(NICENESS).min(19)));
    #[cfg(target_os = "linux")]
    if let Err(error) = lowered {
        tracing::debug!("the priority of a thread could not be lowered: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn work_is_done_in_order_and_its_value_comes_back() {
        let workers = Workers::start("test", 1);
        let order = Arc::new(Mutex::new(Vec::new()));
        let all = (0..20).map(|number| {
            let order = Arc::clone(&order);
            workers.run(move || {
                order.lock().unwrap().push(number);
                number * 2
            })
        });
        assert_eq!(futures::future::join_all(all).await, (0..20).map(|number| number * 2).collect::<Vec<_>>());
        assert_eq!(*order.lock().unwrap(), (0..20).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn a_panic_is_resumed_in_the_caller_and_the_thread_lives() {
        let workers = Workers::start("test", 1);
        let panicked = AssertUnwindSafe(workers.run(|| panic!("in a job"))).catch_unwind().await;
        assert!(panicked.is_err());
        assert_eq!(workers.run(|| 7).await, 7);
    }

    #[tokio::test]
    async fn abandoned_work_is_not_begun() {
        let workers = Workers::start("test", 1);
        let (begun, released) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
        let (in_job, until) = (Arc::clone(&begun), Arc::clone(&released));
        let mut busy = Box::pin(workers.run(move || {
            in_job.wait();
            until.wait();
        }));
        assert!(futures::poll!(&mut busy).is_pending());
        begun.wait();
        let mut abandoned = Box::pin(workers.run(|| panic!("this work is abandoned")));
        assert!(futures::poll!(&mut abandoned).is_pending());
        drop(abandoned);
        released.wait();
        busy.await;
        assert_eq!(workers.run(|| 7).await, 7);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn its_threads_have_a_low_priority() {
        let default = rustix::process::getpriority_process(None).unwrap();
        let lowered = Workers::start("test", 1).run(|| rustix::process::getpriority_process(None).unwrap()).await;
        assert_eq!(lowered, (default + NICENESS).min(19));
        assert_eq!(rustix::process::getpriority_process(None).unwrap(), default);
    }
}
