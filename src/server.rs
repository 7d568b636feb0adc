//! Composition root: builds all parts by the configuration, starts them, and stops them in order. No other file uses all modules.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use axum::{Extension, Router};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::access::Authentication;
use crate::access::rights::Rights;
use crate::api::{self, Actions, ApiOptions, ApiState, Budget, Hosts, LogUrlPattern, LogUrls, Permission, ServeOptions};
use crate::archive::OverviewForm;
use crate::clock::{Clock, whole_millis};
use crate::config::{Config, RetentionConfig, WebConfig, options, security};
use crate::data_directory;
use crate::directory::Directory;
use crate::index::{self, IndexOptions, IndexReader, IndexWriter, Opened};
use crate::ingest::{Backfill, Ingest, IngestOptions, LookupUnlisted};
use crate::refresh::plan::Rules;
use crate::refresh::{DirectoryRefresh, Refresh, RetentionRules};
use crate::retention::cleanup::Cleanup;
use crate::retention::policy::Policy;
use crate::schedule::cleanups::{self, Cleaner, Surroundings};
use crate::schedule::cron::{Schedule, Zone};
use crate::schedule::periodic::Activator;
use crate::schedule::{file_events, periodic};
use crate::telemetry;
use crate::{tasks, tls, web};

pub mod alone;
pub mod check;
mod commands;
mod descriptors;
pub mod examine;
mod permission;
pub mod probe;
pub mod reload;
mod service_manager;

/// Runs the server until SIGTERM or SIGINT.
///
/// # Errors
/// The data directory was deleted or replaced while the server ran; it has stopped in order.
///
/// The server cannot start: the certificates are not valid ([`crate::config::ConfigErrors`]), the address is in use, an archive
/// directory is not valid, or the data directory belongs to another process or to a newer version.
pub async fn run(config: Config, source: reload::Source) -> anyhow::Result<()> {
    // From now on this signal no longer ends the process.
    let hangup = signal(SignalKind::hangup()).context("listening for SIGHUP")?;
    let activator = Activator::default();
    let reload = reload::Reload::new(source, &config, activator.clone());
    let tls = tls::acceptor(&config.ssl)?;
    let listener = bind(&config.web.address, config.web.port, "historyserver.web.address and historyserver.web.port").await?;
    let address = listener.local_addr().context("the address of the listener cannot be read")?;
    if !config.security.may_be_open && !address.ip().to_canonical().is_loopback() {
        anyhow::bail!("{}: {}", options::WEB_ADDRESS.key, security::refusal(&address.ip().to_string()));
    }
    let clock = Clock::System;
    let mut security = config.security.clone();
    security.open_metrics.get_or_insert(address.ip().to_canonical().is_loopback());
    let authentication =
        Authentication::open(&security, &clock).map_err(|sentence| anyhow::anyhow!("{sentence}")).context("historyserver.security")?;
    let operations = match &config.web.operations {
        Some((address, port)) => {
            Some(bind(address, *port, "historyserver.web.operations-address and historyserver.web.operations-port").await?)
        }
        None => None,
    };
    let directories = open_directories(&config)?;
    let written = data_directory::last_written(&config.data.dir);
    let (writer, reader) = open_index(&config, &directories).await?;

    if permission::deletes(&config) {
        // It ends by itself: its operations have time limits.
        tasks::spawn(permission::warn_of_missing_permissions(directories.clone()));
    }
    let ingest = Ingest::new(directories.iter().cloned(), writer.clone(), reader.clone(), ingest_options(&config), clock.clone());
    let cleanup = cleanup(&config, &directories, &writer, &reader, &clock);
    let refreshes = directories.into_iter().map(|directory| {
        DirectoryRefresh::new(directory, ingest.clone(), writer.clone(), reader.clone(), rules(&config), clock.clone())
            .with_retention(retention_rules(&config.retention))
            .with_changes(reload.rules())
            .with_data_directory_written(written)
    });
    let (refresh, status) = Refresh::new(refreshes.collect(), &clock);
    let (backfill, backfill_status) = Backfill::new(reader.clone(), writer.clone(), clock.clone());

    let stop = CancellationToken::new();
    let cleaner = Cleaner::new(cleanup, writer.clone(), reader.clone(), clock.clone());
    let surroundings = Surroundings {
        refreshed: status.clone(),
        activator: activator.clone(),
        schedule: schedule(&config.retention)?,
        clock: clock.clone(),
    };
    let actions = Actions {
        cleaner: cleaner.clone(),
        activator: activator.clone(),
        permission: permission(&config.web, address.ip()),
        last: Arc::default(),
    };
    let state = ApiState {
        reader: reader.clone(),
        ingest,
        refresh: status,
        backfill: backfill_status,
        clock: clock.clone(),
        started: clock.now(),
        options: ApiOptions { authentication: authentication.clone(), ..api_options(&config, address.ip()) },
        pages: web::answer,
        actions: Some(actions),
        prometheus: prometheus()?,
        stopping: stop.clone(),
    };
    let watching = tasks::spawn(file_events::watch_all(refresh.watched(), stop.clone()));
    let refreshing = tasks::spawn(periodic::refresh(refresh, config.archive.refresh_interval, activator, clock, stop.clone()));
    let cleaning = tasks::spawn(cleanups::run(cleaner, surroundings, stop.clone()));
    let backfill = tasks::spawn(backfill.run(stop.clone()));
    let limits = serve_options(&config.web, &state.options.budget);
    let routers = api::routers(state);
    commands::serve(&config.data.dir, routers.all.clone(), stop.clone());
    let serving = tasks::spawn(api::serve(listener, tls.clone(), routers.all, stop.clone(), limits));
    let probed = operations.map(|listener| {
        // The separate address has its own names.
        let hosts = listener.local_addr().map_or_else(|_| Hosts::default(), |address| Hosts::new(address.ip(), config.web.hosts.clone()));
        tasks::spawn(serve_operations(listener, routers.operations.layer(Extension(hosts)), stop.clone()))
    });
    let scheme = if tls.is_some() { "https" } else { "http" };
    if let Some(tls) = tls {
        // It ends with the token, and has nothing to close in order.
        tasks::spawn(tls.reload(tls::RELOAD_INTERVAL, stop.clone()));
    }
    if let Some(authentication) = authentication {
        // It ends with the token.
        tasks::spawn(authentication.keep_fresh(stop.clone()));
    }
    // Before the log says that it runs.
    let mut signals = Signals::take()?;
    // It ends with the token.
    tasks::spawn(reload.run(hangup, stop.clone()));
    tracing::info!(
        "listening at {scheme}://{address}{}",
        if config.web.address_is_default { " (only on this machine, since historyserver.web.address is not set)" } else { "" }
    );
    service_manager::ready();
    service_manager::ping_watchdog(stop.clone());

    let lost = tokio::select! {
        () = signals.next() => None,
        lost = reader.data_directory_lost() => Some(lost),
    };
    signals.end_at_once();
    let stopped = Instant::now();
    tracing::info!("stopping");
    service_manager::stopping();
    stop.cancel();
    let drained = serving.await.context("serving HTTP")?;
    if let Some(probed) = probed {
        probed.await.context("serving health and metrics")?;
    }
    refreshing.await.context("refreshing")?;
    cleaning.await.context("cleaning up")?;
    watching.await.context("watching for file events")?;
    backfill.await.context("backfilling the index")?;
    writer.close().await;
    let duration_ms = whole_millis(stopped.elapsed());
    tracing::info!(duration_ms, cut = drained.cut, "stopped");
    lost.map_or(Ok(()), |lost| Err(lost.into()))
}

async fn bind(address: &str, port: u16, options: &str) -> anyhow::Result<TcpListener> {
    let address = if address.is_empty() { "127.0.0.1" } else { address };
    TcpListener::bind((address, port)).await.with_context(|| format!("cannot listen on {address} port {port}: check {options}"))
}

fn serve_options(web: &WebConfig, budget: &Budget) -> ServeOptions {
    ServeOptions {
        max_connections: descriptors::connections(web.max_connections),
        max_connections_per_client: web.max_connections_per_client,
        min_rate: web.min_read_rate,
        budget: budget.clone(),
        ..ServeOptions::default()
    }
}

/// Connections of the separate address: it serves a few monitors.
const OPERATIONS_CONNECTIONS: usize = 64;

/// Serves health and metrics on a separate address.
async fn serve_operations(listener: TcpListener, router: Router, stop: CancellationToken) {
    if let Ok(address) = listener.local_addr() {
        tracing::info!("health and metrics are served at http://{address}");
    }
    let limits = ServeOptions {
        max_connections: OPERATIONS_CONNECTIONS,
        max_connections_per_client: OPERATIONS_CONNECTIONS,
        ..ServeOptions::default()
    };
    api::serve(listener, None, router, stop, limits).await;
}

fn open_directories(config: &Config) -> anyhow::Result<Vec<Directory>> {
    let open = |entry: &String| Directory::open(entry, &config.archive.options_of(entry)).context("historyserver.archive.fs.dir");
    config.archive.directories.iter().map(open).collect()
}

/// Opens the index, and logs its state.
async fn open_index(config: &Config, directories: &[Directory]) -> anyhow::Result<(IndexWriter, IndexReader)> {
    let urls = directories.iter().map(|directory| directory.url().clone()).collect();
    let mut options = IndexOptions::new(&config.data.dir, config.data.cache_max_size, urls);
    options.query_timeout = config.web.query_timeout;
    let (writer, reader, opened) = tasks::spawn_blocking(move || index::open(&options)).await?;
    match opened {
        Opened::Created => tracing::info!(data.dir = %config.data.dir.display(), "created a new index"),
        Opened::Ready => tracing::info!(data.dir = %config.data.dir.display(), "opened the index"),
        Opened::Rebuilt { moved_to, lost } => {
            let lost = lost.map_or("an unknown number of".to_owned(), |lost| lost.to_string());
            tracing::warn!(
                "the index was damaged and was moved to {}. A new index is built from the archive directories; {lost} applications and \
                 legacy jobs whose archives are missing there are lost",
                moved_to.display()
            );
        }
    }
    Ok((writer, reader))
}

fn ingest_options(config: &Config) -> IngestOptions {
    let lookup_unlisted = match (config.archive.lookup_unlisted, config.retention.has_limit()) {
        (false, _) => LookupUnlisted::Off,
        (true, false) => LookupUnlisted::Any,
        (true, true) => LookupUnlisted::Recent,
    };
    let refresh_interval = config.archive.refresh_interval;
    IngestOptions { limits: config.limits, bytes_in_flight: config.bytes_in_flight, refresh_interval, lookup_unlisted }
}

fn rules(config: &Config) -> Rules {
    Rules {
        forget_gone_applications: config.retention.clean_expired_applications,
        forget_gone_legacy_jobs: config.retention.clean_expired_jobs,
        empty_grace: config.archive.empty_grace,
    }
}

fn retention_rules(retention: &RetentionConfig) -> RetentionRules {
    let policy = Policy {
        applications: retention.applications.map(u64::from),
        legacy_jobs: retention.jobs.map(u64::from),
        ttl: retention.ttl,
        bytes: retention.size,
        delete_unreadable: retention.delete_unreadable,
    };
    let keep_archives = retention.retain_remote_beyond_local_limit;
    RetentionRules { policy, keep_archives, max_delete_fraction: retention.max_delete_fraction }
}

fn cleanup(config: &Config, directories: &[Directory], writer: &IndexWriter, reader: &IndexReader, clock: &Clock) -> Cleanup {
    let record_ttl = config.retention.record_ttl;
    Cleanup::new(directories.iter().cloned(), writer.clone(), reader.clone(), clock.clone(), record_ttl)
}

/// Times of the cleanups; `None`: after every refresh.
fn schedule(retention: &RetentionConfig) -> anyhow::Result<Option<Schedule>> {
    if retention.cron.is_empty() {
        return Ok(None);
    }
    let zone = retention.time_zone.map_or(Zone::System, Zone::Named);
    let schedule = Schedule::parse(retention.cron.iter().map(String::as_str), zone).context("historyserver.archive.retention.cron")?;
    Ok(Some(schedule))
}

fn permission(web: &WebConfig, address: IpAddr) -> Permission {
    match (web.allow_remote_actions, address.is_loopback()) {
        (true, _) => Permission::AllClients,
        (false, true) => Permission::ThisMachine,
        (false, false) => Permission::NoClient,
    }
}

fn api_options(config: &Config, address: IpAddr) -> ApiOptions {
    let web = &config.web;
    let mut options = ApiOptions {
        web_refresh_interval: web.refresh_interval,
        hosts: Hosts::new(address, web.hosts.clone()),
        frame_ancestors: web.frame_ancestors.clone(),
        cors_origins: web.cors_origins.clone(),
        document_memory: config.data.cache_memory,
        budget: Budget::new(web.answer_memory),
        expensive_requests_per_client: web.expensive_requests_per_client,
        rights: rights(config),
        ..ApiOptions::default()
    };
    if let Some(version) = &web.flink_version {
        options.flink_version.clone_from(version);
        options.job_overview = OverviewForm::of_version(version);
    }
    let pattern = |text: &Option<String>| text.as_deref().and_then(|text| LogUrlPattern::parse(text).ok().flatten());
    options.log_urls = LogUrls { jobmanager: pattern(&web.jobmanager_log_url), taskmanager: pattern(&web.taskmanager_log_url) };
    options
}

fn rights(config: &Config) -> Rights {
    let rights = if config.security.methods.is_empty() { Rights::unlimited() } else { Rights::of_rules(config.rights.rules.clone()) };
    rights.replace_sensitive(config.rights.sensitive.clone());
    rights
}

fn prometheus() -> anyhow::Result<PrometheusHandle> {
    let mut builder = PrometheusBuilder::new();
    let durations = [(&api::DURATION_METRIC, api::DURATION_BUCKETS)].into_iter();
    for (name, buckets) in durations.chain(telemetry::HISTOGRAMS.iter().map(|name| (name, telemetry::BUCKETS))) {
        builder = builder.set_buckets_for_metric(Matcher::Full((*name).to_owned()), buckets).context("buckets of a metric")?;
    }
    let handle = builder.install_recorder().context("installing the recorder of metrics")?;
    telemetry::describe();
    Ok(handle)
}

/// SIGTERM (service managers, containers) and SIGINT (a terminal).
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on the signals no longer end the process.
    fn take() -> anyhow::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("listening for SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("listening for SIGINT")?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// From now on the next signal ends the process at once.
    fn end_at_once(mut self) {
        tasks::spawn(async move {
            self.next().await;
            tracing::warn!("a second signal arrived: exiting at once");
            std::process::exit(1);
        });
    }
}
