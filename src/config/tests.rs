//! The layers together, from files to the validated configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::report::report;
use super::{Config, ConfigErrors, Environment, Loaded, LogFormat, Sources};

/// A working directory with files, sources and an environment.
struct Setup {
    folder: tempfile::TempDir,
    sources: Sources,
    environment: Environment,
}

impl Setup {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let environment =
            Environment { variables: [("HOME".to_owned(), "/home/flink".to_owned())].into(), working_directory: folder.path().to_owned() };
        Self { folder, sources: Sources::default(), environment }
    }

    fn file(self, name: &str, text: &str) -> Self {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn toml(self, text: &str) -> Self {
        self.file("historyserver.toml", text)
    }

    fn flink(mut self, name: &str, text: &str) -> Self {
        self.sources.flink_dir = Some(PathBuf::from("conf"));
        self.file(&format!("conf/{name}"), text)
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    fn define(mut self, text: &str) -> Self {
        self.sources.overrides.push(text.to_owned());
        self
    }

    fn load(&self) -> Result<Loaded, ConfigErrors> {
        Config::load(&self.sources, &self.environment)
    }

    fn config(&self) -> Config {
        self.load().unwrap().config
    }

    /// The problems of a configuration that does not load.
    fn faults(&self) -> Vec<String> {
        self.load().unwrap_err().problems.iter().map(ToString::to_string).collect()
    }
}

#[test]
fn later_layers_win() {
    let setup = Setup::new()
        .toml("historyserver.archive.fs.dir = \"/a\"\nhistoryserver.web.port = 1\nhistoryserver.limits.depth = 11\n")
        .flink("config.yaml", "historyserver:\n  web.port: 2\n  archive.fs.dir: /b\n  limits.entries: 22\n")
        .variable("HISTORYSERVER__WEB__PORT", "3")
        .variable("HISTORYSERVER__ARCHIVE__FS__REFRESH_INTERVAL", "3 s")
        .define("historyserver.web.port=4");
    let config = setup.config();
    assert_eq!(config.web.port, 4);
    assert_eq!(config.archive.directories, ["/b"]);
    assert_eq!(config.archive.refresh_interval, Duration::from_secs(3));
    assert_eq!((config.limits.depth, config.limits.entries), (11, 22));
}

#[test]
fn the_defaults_of_the_table_are_those_of_the_struct() {
    let loaded = Setup::new().define("historyserver.archive.fs.dir=/a").define("historyserver.web.port=0").load().unwrap();
    let data_dir = PathBuf::from("/home/flink/.local/state/historyserver");
    let mut expected = Config::with_defaults(vec!["/a".to_owned()], data_dir);
    expected.ssl.tls12 = true;
    expected.ssl.tls13 = true;
    assert_eq!(format!("{:?}", loaded.config), format!("{expected:?}"));
    assert_eq!(loaded.warnings, Vec::<String>::new());
}

#[test]
fn all_faults_are_reported_with_key_and_source() {
    let setup = Setup::new()
        .toml(
            "historyserver.web.port = 70000\n[historyserver.archive]\nretained-applications = 0\nretained-jobs = -2\nretained-ttl = \"0 s\"\nfs.refresh-interval = \"10 parsecs\"\nfs.durr = 1\n",
        )
        .variable("HISTORYSERVER__WEB__PROT", "1")
        .define("historyserver.cache.max-size=lots")
        .define("nonsense");
    assert_eq!(
        setup.faults(),
        [
            "historyserver.archive.fs.durr (historyserver.toml, line 7): there is no such option; did you mean historyserver.archive.fs.dir?",
            "historyserver.web.prot (environment variable HISTORYSERVER__WEB__PROT): there is no such option; did you mean HISTORYSERVER__WEB__PORT?",
            "-D on the command line: `nonsense` must have the form key=value",
            "historyserver.archive.retained-applications (historyserver.toml, line 3): Cannot set historyserver.archive.retained-applications to 0 or less than -1",
            "historyserver.archive.retained-jobs (historyserver.toml, line 4): Cannot set historyserver.archive.retained-jobs to 0 or less than -1",
            "historyserver.archive.retained-ttl (historyserver.toml, line 5): \"0 s\" is invalid: it must be longer than 0",
            "historyserver.web.port (historyserver.toml, line 1): \"70000\" is invalid: it must be a whole number from 0 to 65535",
            "historyserver.archive.fs.dir: is not set; set it to the directory that Flink's jobmanager.archive.fs.dir points to",
            "historyserver.archive.fs.refresh-interval (historyserver.toml, line 6): \"10 parsecs\" is invalid: `parsecs` is not a unit of time; use d, h, min, s, ms, µs or ns, or no unit for milliseconds",
            "historyserver.cache.max-size (-D on the command line): \"lots\" is invalid: it must start with a whole number",
        ]
    );
}

#[test]
fn unknown_keys_of_flinks_directory_are_warnings() {
    let loaded = Setup::new()
        .flink(
            "config.yaml",
            "historyserver.archive.fs.dir: /a\nhistoryserver.web.prot: 1\ntaskmanager.numberOfTaskSlots: 2\nhistoryserver.archive.storage.type: ROCKSDB\nhistoryserver.lazy.fetch.new: 1\n",
        )
        .load()
        .unwrap();
    assert_eq!(
        loaded.warnings,
        [
            "historyserver.web.prot (conf/config.yaml, line 2) is not an option of the history server and has no effect; did you mean historyserver.web.port?",
            "historyserver.archive.storage.type, historyserver.lazy.fetch.new have no effect here",
        ]
    );
}

#[test]
fn flink_1_configuration_is_read() {
    let config = Setup::new()
        .flink(
            "flink-conf.yaml",
            "historyserver.archive.fs.dir: s3://b/a, file:///c # comment\nhistoryserver.archive.retained-jobs: 5\ns3.access-key: a\ns3.secret-key: hunter2\n",
        )
        .config();
    assert_eq!(config.archive.directories, ["s3://b/a", "file:///c"]);
    assert_eq!(config.retention.jobs, Some(5));
    assert_eq!(config.archive.store_options["s3.secret-key"], "hunter2");
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_directory_without_configuration_and_a_missing_file_are_faults() {
    let mut setup = Setup::new().flink("other.yaml", "").define("historyserver.archive.fs.dir=/a");
    setup.sources.file = Some(PathBuf::from("missing.toml"));
    let faults = setup.faults();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].starts_with("missing.toml: cannot be read"), "{faults:?}");
    assert!(faults[1].starts_with("conf: is not a configuration directory of Flink"), "{faults:?}");
}

#[test]
fn repeated_directories_are_read_once_and_nested_ones_refused_where_a_limit_is_set() {
    let setup = Setup::new().define("historyserver.archive.fs.dir=/data/a, /data/a/, /data/a/inner");
    let loaded = setup.load().unwrap();
    assert_eq!(loaded.config.archive.directories, ["/data/a", "/data/a/inner"]);
    assert_eq!(loaded.warnings.len(), 2);
    for limit in ["retained-applications=3", "retained-jobs=3", "retained-ttl=1 d", "retained-size=1 gb"] {
        let limited =
            Setup::new().define("historyserver.archive.fs.dir=/data/a,/data/a/inner").define(&format!("historyserver.archive.{limit}"));
        assert!(limited.faults()[0].contains("/data/a/inner lies inside /data/a"), "{limit}");
    }
}

#[test]
fn invalid_archive_directories_are_reported_without_credentials() {
    let faults = Setup::new()
        .toml("historyserver.archive.fs.dir = \"maprfs://namenode:8020/flink, s3://key:hunter2@bucket/a, /fine\"\nhistoryserver.web.port = \"x\"\n")
        .faults();
    assert_eq!(faults.len(), 3, "{faults:?}");
    let place = "historyserver.archive.fs.dir (historyserver.toml, line 1): ";
    assert!(faults[1].starts_with(place) && faults[1].contains("mount the file system and give its path"), "{faults:?}");
    assert!(faults[2].starts_with(place) && faults[2].contains("set credentials by options of the store"), "{faults:?}");
    assert!(!faults.concat().contains("hunter2"), "{faults:?}");
}

#[test]
fn lists_may_be_lists_where_the_format_has_them() {
    let config = Setup::new()
        .toml("historyserver.archive.fs.dir = [\"/with,comma\", \"/b\"]\nhistoryserver.archive.retention.cron = [\"0 3 * * *\", \"0 30 4 * * *\"]\n")
        .config();
    assert_eq!(config.archive.directories, ["/with,comma", "/b"]);
    assert_eq!(config.retention.cron, ["0 3 * * *", "0 30 4 * * *"]);
    let faults =
        Setup::new().define("historyserver.archive.fs.dir=/a").define("historyserver.archive.retention.cron=3 * *; 0 3 * * *").faults();
    assert_eq!(faults.len(), 1, "{faults:?}");
}

#[test]
fn log_url_patterns_are_read_as_in_flink() {
    let loaded = Setup::new()
        .define("historyserver.archive.fs.dir=/a")
        .define("historyserver.log.jobmanager.url-pattern=logs.example/<jobid>")
        .define("historyserver.log.taskmanager.url-pattern=ftp://logs.example/<tmid>")
        .load()
        .unwrap();
    assert_eq!(loaded.config.web.jobmanager_log_url.as_deref(), Some("http://logs.example/<jobid>"));
    assert_eq!(loaded.config.web.taskmanager_log_url, None);
    assert_eq!(loaded.warnings.len(), 1);
}

#[test]
fn the_level_comes_from_rust_log_and_the_format_from_the_option() {
    let base = || Setup::new().define("historyserver.archive.fs.dir=/a").variable("RUST_LOG", "debug,hyper=warn");
    assert_eq!(base().config().log.level, "debug,hyper=warn");
    assert_eq!(base().variable("HISTORYSERVER__LOG__LEVEL", "warn").config().log.level, "warn");
    assert_eq!(base().define("historyserver.log.format=JSON").config().log.format, LogFormat::Json);
    assert_eq!(base().define("historyserver.log.level=a=b=c").faults().len(), 1);
}

#[test]
fn https_without_a_certificate_is_a_fault() {
    let base = || Setup::new().define("historyserver.archive.fs.dir=/a").define("historyserver.web.ssl.enabled=true");
    assert!(base().faults()[0].contains("no certificate is configured"));
    assert!(base().define("historyserver.web.ssl.certificate=c.pem").faults()[0].contains("set both"));
    assert!(base().define("security.ssl.keystore=k.p12").faults()[0].contains("keystore-password: is not set"));
    let store = || base().define("security.ssl.keystore=k.p12").define("security.ssl.keystore-password=pw");
    assert!(store().define("security.ssl.rest.keystore-type=JKS").faults()[0].contains("keytool -importkeystore"));
    assert!(store().define("security.ssl.rest.authentication-enabled=true").faults()[0].contains("no authority for client certificates"));
    assert!(store().define("security.ssl.protocol=TLSv1.1").faults()[0].contains("older versions are insecure"));
    assert!(store().define("security.ssl.rest.cert.fingerprint=ab").faults()[0].contains("40 hexadecimal digits"));
    let config = store().define("security.ssl.rest.keystore=r.p12").define("security.ssl.protocol=TLSv1.2").config();
    assert!(config.ssl.keystore.is_some_and(|store| store.path.ends_with("r.p12")));
    assert_eq!((config.ssl.tls12, config.ssl.tls13), (true, false));
}

#[test]
fn the_switch_of_flink_alone_serves_http_with_a_warning() {
    let loaded = Setup::new().define("historyserver.archive.fs.dir=/a").define("security.ssl.rest.enabled=true").load().unwrap();
    assert!(!loaded.config.ssl.enabled);
    assert_eq!(loaded.warnings.len(), 1);
}

#[test]
fn the_report_shows_values_and_sources_and_no_secret() {
    let loaded = Setup::new()
        .toml("s3.endpoint = \"https://user:hunter2@minio:9000\"\ns3.secret-key = \"hunter2\"\n")
        .define("historyserver.archive.fs.dir=/a")
        .variable("HISTORYSERVER__WEB__PORT", "9000")
        .define("security.ssl.rest.keystore-password=hunter2")
        .load()
        .unwrap();
    let text = report(&loaded);
    assert!(!text.contains("hunter2"), "{text}");
    for line in [
        "historyserver.archive.fs.dir = /a  # -D on the command line",
        "s3.endpoint = https://******@minio:9000  # historyserver.toml, line 1",
        "historyserver.web.port = 9000  # environment variable HISTORYSERVER__WEB__PORT",
        "historyserver.cache.max-size = 10 gb  # default",
        "security.ssl.rest.keystore-password = ******  # -D on the command line",
        "s3.secret-key = ******  # historyserver.toml, line 2",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert_eq!(loaded.config.data.dir, Path::new("/home/flink/.local/state/historyserver"));
}

#[test]
fn the_default_scheme_applies_to_paths_without_a_scheme() {
    let directories = |setup: Setup| setup.config().archive.directories;
    let conf = "fs.default-scheme: s3://bucket/\nhistoryserver.archive.fs.dir: /completed-jobs, file:///here\n";
    assert_eq!(directories(Setup::new().flink("config.yaml", conf)), ["s3://bucket/completed-jobs", "file:///here"]);
    let later = Setup::new().flink("config.yaml", conf).variable("FS__DEFAULT_SCHEME", "file:///");
    assert_eq!(directories(later), ["/completed-jobs", "file:///here"]);
    // Two spellings of a directory are one directory.
    let twice = Setup::new().define("fs.default-scheme=s3a://bucket").define("historyserver.archive.fs.dir=/a,s3p://bucket/a/").load();
    assert_eq!(twice.unwrap().config.archive.directories, ["s3a://bucket/a"]);
    let base = |scheme: &str, entry: &str| {
        Setup::new().define(&format!("fs.default-scheme={scheme}")).define(&format!("historyserver.archive.fs.dir={entry}")).faults()
    };
    assert!(base("maprfs://cluster/", "/flink")[0].contains("mount the file system and give its path as file:///path"));
    let hdfs = Setup::new().define("fs.default-scheme=hdfs://namenode:8020/").define("historyserver.archive.fs.dir=/flink");
    assert_eq!(directories(hdfs), ["hdfs://namenode:8020/flink"]);
    assert!(base("s3", "/a")[0].starts_with("fs.default-scheme (-D on the command line): \"s3\" is invalid: it has no scheme"));
    let relative = base("s3://bucket/", "jobs");
    assert!(relative.len() == 1 && relative[0].contains("write s3://bucket/jobs"), "{relative:?}");
}

#[test]
fn options_of_one_directory_win_and_belong_to_it_alone() {
    let own = "historyserver.archive.fs.dir = \"s3://one/a, s3://two/b/\"\ns3.region = \"general\"\n\
               [historyserver.archive.store.\"s3://two/b\"]\n\"s3.region\" = \"own\"\n[historyserver.archive.store.\"s3://one/a\"]\n\
               s3.access-key = \"k\"\ns3.secret-key = \"hunter2\"\n";
    let loaded = Setup::new().toml(own).load().unwrap();
    let options = |entry: &str| loaded.config.archive.options_of(entry);
    assert_eq!((options("s3://one/a")["s3.region"].as_str(), options("s3://two/b/")["s3.region"].as_str()), ("general", "own"));
    assert_eq!((options("s3://one/a").len(), options("s3://two/b/").len()), (3, 1));
    assert!(!report(&loaded).contains("hunter2") && !format!("{:?}", loaded.config).contains("hunter2"));
    let wrong = "historyserver.archive.fs.dir = \"s3://one/a\"\n[historyserver.archive.store.\"s3://other\"]\n\"s3.region\" = \"x\"\n";
    let faults = Setup::new().toml(wrong).faults();
    assert!(
        faults.len() == 1 && faults[0].contains("historyserver.toml, line 3") && faults[0].contains("no archive directory"),
        "{faults:?}"
    );
}

#[test]
fn options_of_stores_that_are_invalid_or_without_effect_are_reported_with_their_source() {
    let base = || Setup::new().define("historyserver.archive.fs.dir=s3://bucket/a");
    let faults = base().toml("s3.endpoint = \"http://host:99999\"\n").faults();
    assert!(faults[0].starts_with("s3.endpoint (historyserver.toml, line 1): is not a valid URL (invalid port number)"), "{faults:?}");
    let faults = base().variable("AWS_REGION", "a\nb").faults();
    assert!(faults[0].contains("environment variable AWS_REGION") && faults[0].contains("control character"), "{faults:?}");
    let warnings = base().toml("s3.acess-key = \"hunter2\"\n").load().unwrap().warnings;
    assert!(warnings[0].contains("s3.acess-key (historyserver.toml, line 1)") && warnings[0].contains("s3.access-key?"), "{warnings:?}");
    // They matter only where such a directory is configured.
    assert!(Setup::new().define("historyserver.archive.fs.dir=/a").define("s3.acess-key=x").load().unwrap().warnings.is_empty());
    assert!(base().variable("AWS_CA_BUNDLE", "/no/such.pem").faults()[0].contains("/no/such.pem cannot be read"));
}

#[test]
fn iso_8601_durations_are_valid_in_every_layer() {
    let base = || Setup::new().define("historyserver.archive.fs.dir=/a");
    let config = base()
        .flink("config.yaml", "historyserver.archive.retained-ttl: P7D\n")
        .variable("HISTORYSERVER__ARCHIVE__FS__REFRESH_INTERVAL", "PT1S")
        .define("historyserver.web.refresh-interval=pt1m")
        .config();
    assert_eq!(config.retention.ttl, Some(Duration::from_hours(7 * 24)));
    assert_eq!(config.archive.refresh_interval, Duration::from_secs(1));
    assert_eq!(config.web.refresh_interval, Duration::from_mins(1));
    assert!(base().define("historyserver.archive.retained-ttl=P7X").faults()[0].contains("such as PT10S or P7D"));
    assert!(base().define("historyserver.archive.retained-ttl=PT0S").faults()[0].contains("longer than 0"));
}

#[test]
fn an_ipv6_address_may_have_brackets_but_no_port() {
    let base = |address: &str| {
        Setup::new()
            .define("historyserver.archive.fs.dir=/a")
            .define(&format!("historyserver.web.address={address}"))
            .define("historyserver.security.authentication=none")
    };
    assert_eq!(base("[::1]").config().web.address, "::1");
    assert_eq!(base("::").config().web.address, "::");
    assert!(base("[::1]:80").faults()[0].contains("set the port by historyserver.web.port"));
}

#[test]
fn a_byte_order_mark_is_ignored_in_every_file() {
    let bom = "\u{feff}";
    let yaml = format!("{bom}historyserver.web.port: 9091\r\nhistoryserver.archive.fs.dir: /a\r\n");
    for name in ["config.yaml", "flink-conf.yaml"] {
        let loaded = Setup::new().flink(name, &yaml).load().unwrap();
        assert_eq!((loaded.config.web.port, loaded.warnings), (9091, vec![]), "{name}");
    }
    let toml = format!("{bom}historyserver.web.port = 9091\r\nhistoryserver.archive.fs.dir = \"/a\"\r\n");
    assert_eq!(Setup::new().toml(&toml).config().web.port, 9091);
}

#[test]
fn of_two_files_of_flink_the_one_that_names_archive_directories_is_read() {
    let shipped = "jobmanager.rpc.address: localhost\n";
    let older = "historyserver.archive.fs.dir: /older\nhistoryserver.archive.retained-jobs: 5\n";
    let newer = "historyserver.archive.fs.dir: /newer\n";
    let both = |newer: &str, older: &str| Setup::new().flink("config.yaml", newer).flink("flink-conf.yaml", older);

    // Flink 1.19 and 1.20: the older file where both are there.
    let loaded = both(shipped, older).load().unwrap();
    assert_eq!((&loaded.config.archive.directories[..], loaded.config.retention.jobs), (&["/older".to_owned()][..], Some(5)));
    assert!(loaded.warnings[0].starts_with("conf/flink-conf.yaml is read and conf/config.yaml is not"), "{:?}", loaded.warnings);

    // Flink 2: a limit in a forgotten file deletes nothing.
    let not_read = "conf/flink-conf.yaml is not read, since config.yaml is in the same directory, as in Flink 2";
    for setup in [
        both(newer, older),
        both(shipped, older).define("historyserver.archive.fs.dir=/newer"),
        both(shipped, older).variable("HISTORYSERVER__ARCHIVE__FS__DIR", "/newer"),
        both(shipped, older).toml("historyserver.archive.fs.dir = \"/newer\"\n"),
    ] {
        let loaded = setup.load().unwrap();
        assert_eq!((&loaded.config.archive.directories[..], loaded.config.retention.jobs), (&["/newer".to_owned()][..], None));
        assert_eq!(loaded.warnings, [not_read]);
    }

    // The warning also stands beside an error.
    for setup in [both(shipped, "historyserver.web.port: 1\n"), both("a: [\n", older)] {
        let errors = setup.load().unwrap_err();
        assert!(!errors.problems.is_empty());
        assert_eq!(errors.warnings, [not_read]);
        assert_eq!(errors.to_string().lines().last(), Some(&*format!("warning: {not_read}")));
    }
}

#[test]
fn a_variable_similar_to_an_option_gives_a_warning() {
    let load = |name: &str| Setup::new().define("historyserver.archive.fs.dir=/a").variable(name, "9").load();
    for name in ["HISTORYSERVER_WEB_PORT", "HISTORYSERVER__WEB_PORT", "HistoryServer__Web__Port", "HISTORYSERVER__WEB__PORT_"] {
        let warnings = load(name).map_or_else(|errors| errors.to_string(), |loaded| loaded.warnings.concat());
        assert!(warnings.contains("HISTORYSERVER__WEB__PORT"), "{name}: {warnings}");
    }
    for name in ["HISTORYSERVER_URL", "HISTORYSERVER_SERVICE_HOST", "HISTORYSERVER_PORT", "FLINK_HOME"] {
        assert_eq!(load(name).unwrap().warnings, Vec::<String>::new(), "{name}");
    }
}

#[test]
fn limits_on_clients_and_the_operations_address_are_read() {
    let config = Setup::new()
        .toml(
            "historyserver.archive.fs.dir = \"/archives\"\nhistoryserver.data.dir = \"/data\"\n\
             historyserver.web.max-connections = 100\nhistoryserver.web.max-connections-per-client = 50\n\
             historyserver.web.least-read-rate = \"0\"\nhistoryserver.web.answer-memory = \"48 mb\"\n\
             historyserver.web.query-timeout = \"PT5S\"\nhistoryserver.web.operations-address = \"[::1]\"\n",
        )
        .config();
    let web = config.web;
    assert_eq!((web.max_connections, web.max_connections_per_client, web.min_read_rate), (100, 50, 0));
    assert_eq!((web.answer_memory, web.query_timeout), (48 << 20, Duration::from_secs(5)));
    assert_eq!(web.operations, Some(("::1".to_owned(), 8083)));
}

#[test]
fn the_operations_address_must_differ_from_the_main_address() {
    let setup = |more: &str| {
        let text = format!("historyserver.archive.fs.dir = \"/archives\"\nhistoryserver.data.dir = \"/data\"\n{more}");
        Setup::new().toml(&text)
    };
    let same = "historyserver.web.operations-address = \"127.0.0.1\"\nhistoryserver.web.operations-port = 8082\n";
    let faults = setup(same).faults();
    assert!(faults.len() == 1 && faults[0].contains("historyserver.web.operations-port"), "{faults:?}");
    assert!(setup("historyserver.web.operations-address = \"http://x:1\"\n").load().is_err());
    assert_eq!(setup("").config().web.operations, None);
}
