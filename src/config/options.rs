//! The table of all options: key, kind, default and description. Parsing, the check for unknown keys, `check-config`,
//! `historyserver.toml` and the documents use this table.

use super::grammar;

/// Prefixes of keys that configure file systems and object stores. They are passed to the stores.
const STORE_PREFIXES: &[&str] = &[
    "s3.",
    "s3a.",
    "s3n.",
    "presto.s3.",
    "fs.",
    "gs.",
    "abfs.",
    "azure.",
    "dfs.",
    "hadoop.",
    "flink.hadoop.",
    "security.kerberos.",
    "google.cloud.",
    "aws_",
    "google_",
    "azure_",
    "env.hadoop.conf.dir",
];

/// Prefix of options of one archive directory: its entry and the option follow.
pub(super) const DIRECTORY_PREFIX: &str = "historyserver.archive.store.";

/// Kinds of values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A path of the local file system; relative ones start at the working directory.
    Path,
    /// `true` or `false`.
    Switch,
    /// A whole number within these bounds.
    Integer(i64, i64),
    /// A number from 0 to 1.
    Fraction,
    /// A duration in Flink's grammar: `10 s`, `1h`, `5 min`, `PT10S`; a number without a unit is milliseconds.
    Duration(Zero),
    /// A memory size in Flink's grammar: `10 gb` is 10 × 2^30 bytes; a number without a unit is bytes.
    Size(Zero),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Texts separated by this character, or a list where the file format has lists.
    List(char),
}

/// Whether 0 is a valid value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zero {
    /// 0 is valid.
    Allowed,
    /// 0 is invalid.
    Refused,
}

impl Kind {
    /// Type and unit, for documentation.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Path => "path".to_owned(),
            Self::Switch => "true or false".to_owned(),
            Self::Integer(min, _) if min == i64::from(i32::MIN) => "whole number".to_owned(),
            Self::Integer(min, max) if max == i64::from(i32::MAX) => format!("whole number from {min}"),
            Self::Integer(min, max) => format!("whole number from {min} to {max}"),
            Self::Fraction => "number from 0 to 1".to_owned(),
            Self::Duration(_) => "duration".to_owned(),
            Self::Size(_) => "memory size".to_owned(),
            Self::Choice(words) => words.join(" or "),
            Self::List(',') => "comma-separated list".to_owned(),
            Self::List(_) => "semicolon-separated list".to_owned(),
        }
    }

    /// The fault of a value of this kind, as the end of a sentence; `None` for a valid value.
    #[must_use]
    pub fn fault(self, text: &str) -> Option<String> {
        let text = text.trim();
        match self {
            Self::Text | Self::Path | Self::List(_) => None,
            Self::Switch => {
                (!text.eq_ignore_ascii_case("true") && !text.eq_ignore_ascii_case("false")).then(|| "it must be true or false".to_owned())
            }
            Self::Integer(min, max) => match text.parse::<i64>() {
                Ok(number) if (min..=max).contains(&number) => None,
                _ => Some(format!("it must be a {}", self.describe())),
            },
            Self::Fraction => match text.parse::<f64>() {
                Ok(number) if (0.0..=1.0).contains(&number) => None,
                _ => Some("it must be a number from 0 to 1".to_owned()),
            },
            Self::Duration(zero) => match grammar::duration(text) {
                Ok(value) if zero == Zero::Refused && value.is_zero() => Some("it must be longer than 0".to_owned()),
                Ok(_) => None,
                Err(fault) => Some(fault),
            },
            Self::Size(zero) => match grammar::size(text) {
                Ok(0) if zero == Zero::Refused => Some("it must be more than 0".to_owned()),
                Ok(_) => None,
                Err(fault) => Some(fault),
            },
            Self::Choice(words) => {
                (!words.iter().any(|word| word.eq_ignore_ascii_case(text))).then(|| format!("it must be {}", words.join(" or ")))
            }
        }
    }
}

/// The origin of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// An option of Flink's `HistoryServerOptions`.
    Flink,
    /// An option of this server alone.
    Own,
    /// A general option of Flink that changes the meaning of others.
    Core,
    /// An option of Flink's `SecurityOptions`.
    Security,
    /// An option of a later version of Flink than the one whose API is served.
    Later,
}

/// Whether an option has an effect in this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// It has.
    Full,
    /// It is accepted and ignored.
    None,
}

/// One option.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spec {
    /// Dotted key.
    pub key: &'static str,
    /// Its origin.
    pub group: Group,
    /// The kind of its values.
    pub kind: Kind,
    /// Default as written in a file; `None`: unset.
    pub default: Option<&'static str>,
    /// Whether it has an effect.
    pub effect: Effect,
    /// Its purpose and the reason of its default, in Markdown.
    pub description: &'static str,
}

macro_rules! options {
    ($($name:ident = $group:ident $key:literal, $kind:expr, $default:expr, $effect:ident, $description:literal;)*) => {
        $(
            #[doc = concat!("`", $key, "`: ", $description)]
            pub static $name: Spec = Spec {
                key: $key,
                group: Group::$group,
                kind: $kind,
                default: $default,
                effect: Effect::$effect,
                description: $description,
            };
        )*
        /// All options, in the order of the documentation.
        pub static ALL: &[&Spec] = &[$(&$name),*];
    };
}

/// A number of archives: -1 is no limit. `validate` refuses 0 and smaller numbers with Flink's message.
const COUNT: Kind = Kind::Integer(i32::MIN as i64, i32::MAX as i64);

options! {
    ARCHIVE_DIR = Flink "historyserver.archive.fs.dir", Kind::List(','), None, Full,
        "Archive directories, where Flink's `jobmanager.archive.fs.dir` points: local paths or URLs (file, s3, s3a, s3n, s3p, gs, abfs, wasb, hdfs; oss, cosn and obs with an endpoint). Required. Unlike in Flink, spaces around commas are ignored.";
    REFRESH_INTERVAL = Flink "historyserver.archive.fs.refresh-interval", Kind::Duration(Zero::Refused), Some("10 s"), Full,
        "Time from the end of one scan of the archive directories to the start of the next.";
    CLEAN_EXPIRED_APPLICATIONS = Flink "historyserver.archive.clean-expired-applications", Kind::Switch, Some("false"), Full,
        "Whether applications that disappear from their archive directory disappear here too. By default they stay, as long as the cache holds them.";
    CLEAN_EXPIRED_JOBS = Flink "historyserver.archive.clean-expired-jobs", Kind::Switch, Some("false"), Full,
        "The same for job archives of Flink before 2.3, which lie directly in the archive directory.";
    RETAINED_APPLICATIONS = Flink "historyserver.archive.retained-applications", COUNT, Some("-1"), Full,
        "Newest applications kept per archive directory; older ones are deleted there. -1 keeps all; 0 is refused.";
    RETAINED_JOBS = Flink "historyserver.archive.retained-jobs", COUNT, Some("-1"), Full,
        "Newest job archives of Flink before 2.3 kept per archive directory; older ones are deleted there. -1 keeps all; 0 is refused.";
    RETAINED_TTL = Flink "historyserver.archive.retained-ttl", Kind::Duration(Zero::Refused), None, Full,
        "Age from which archives are deleted from their archive directory. With a count as well, archives are kept only while they meet both. Unset: no limit.";
    RETAINED_SIZE = Own "historyserver.archive.retained-size", Kind::Size(Zero::Refused), None, Full,
        "Bytes of archives kept per archive directory: the newest whose sizes together stay within it, and the newest one always; older ones are deleted there. Unset: no limit.";
    RETAIN_REMOTE = Own "historyserver.archive.retain-remote-beyond-local-limit", Kind::Switch, Some("false"), Full,
        "With true, archives beyond the limits are removed from the index but stay in the archive directory. With false they are deleted, as in Flink.";
    RETENTION_CRON = Own "historyserver.archive.retention.cron", Kind::List(';'), None, Full,
        "When archives beyond the limits are deleted: cron expressions of five fields (minute, hour, day, month, weekday) or six (second first). Unset: after every refresh, as in Flink.";
    RETENTION_TIME_ZONE = Own "historyserver.archive.retention.time-zone", Kind::Text, None, Full,
        "Time zone of the cron expressions, such as `Europe/Berlin`. Unset: the time zone of the system.";
    MAX_DELETE_FRACTION = Own "historyserver.archive.retention.max-delete-fraction", Kind::Fraction, None, Full,
        "Largest part of an archive directory that one cleanup may delete or forget without confirmation; 1.0 allows everything, as Flink does. Unset: the first cleanup with a limit, and the first after a limit became stricter, may delete half of it; those that follow may delete everything beyond the limit.";
    DELETE_UNREADABLE = Own "historyserver.archive.retention.delete-unreadable", Kind::Switch, Some("false"), Full,
        "Whether archives that could not be read, and applications without a summary, count towards the limits and are deleted beyond them. By default they are kept, so that a person can examine them.";
    RECORD_TTL = Own "historyserver.archive.retention.record-ttl", Kind::Duration(Zero::Refused), Some("365 d"), Full,
        "How long the record of deletions is kept.";
    EMPTY_GRACE = Own "historyserver.archive.empty-grace", Kind::Duration(Zero::Allowed), Some("1 h"), Full,
        "How long an archive directory that contained archives must be empty before its archives count as deleted: a volume that is not mounted looks empty, too. 0: at once.";
    LOOKUP_UNLISTED = Own "historyserver.archive.lookup-unlisted", Kind::Switch, Some("true"), Full,
        "Whether the server searches the archive directories for a requested id that is not listed yet, before it answers 404.";
    DATA_DIR = Own "historyserver.data.dir", Kind::Path, None, Full,
        "Data directory: the index and the cache of documents. Unset: `historyserver-data` in `historyserver.web.tmpdir` where that is set, else `$XDG_STATE_HOME/historyserver`, `~/.local/state/historyserver` or `/var/lib/historyserver`, and never below `/tmp`.";
    CACHE_MAX_SIZE = Own "historyserver.cache.max-size", Kind::Size(Zero::Allowed), Some("10 gb"), Full,
        "Bytes of compressed documents kept in the data directory. Beyond it, the documents that were least recently read are evicted, and fetched again when they are requested.";
    CACHE_MEMORY = Own "historyserver.cache.memory", Kind::Size(Zero::Allowed), Some("64 mb"), Full,
        "Memory for documents that were requested lately, as they are sent; they are answered without reading the data directory. 0: none.";
    DOCUMENT_SIZE = Own "historyserver.limits.document-size", Kind::Size(Zero::Refused), Some("256 mb"), Full,
        "Largest document of an archive that is accepted. Archives are untrusted; this limit keeps one archive from filling memory and disk.";
    ENTRIES = Own "historyserver.limits.entries", Kind::Integer(1, i32::MAX as i64), Some("1000000"), Full,
        "Maximum number of entries of one archive that are accepted.";
    DEPTH = Own "historyserver.limits.depth", Kind::Integer(1, 1_000), Some("64"), Full,
        "Deepest nesting of a document that is accepted. Documents of Flink are nested less than 20 levels deep.";
    PATH_LENGTH = Own "historyserver.limits.path-length", Kind::Size(Zero::Refused), Some("4 kb"), Full,
        "Longest path of an entry that is accepted, in bytes.";
    BYTES_IN_FLIGHT = Own "historyserver.limits.bytes-in-flight", Kind::Size(Zero::Refused), Some("64 mb"), Full,
        "Maximum bytes of archives that are read at the same time. It limits memory. A larger archive is streamed alone.";
    WEB_ADDRESS = Flink "historyserver.web.address", Kind::Text, Some("127.0.0.1"), Full,
        "Address or host name to listen on; `0.0.0.0` or `[::]` is every interface, empty is loopback. Flink's server listens on every interface when this is unset: archives hold job names, configurations and stack traces, so this one does not.";
    WEB_PORT = Flink "historyserver.web.port", Kind::Integer(0, 65_535), Some("8082"), Full,
        "Port to listen on. 0: any free port; the log shows it.";
    WEB_REFRESH_INTERVAL = Flink "historyserver.web.refresh-interval", Kind::Duration(Zero::Refused), Some("10 s"), Full,
        "How often the page in the browser refreshes itself.";
    WEB_TMPDIR = Flink "historyserver.web.tmpdir", Kind::Path, None, Full,
        "Directory where Flink's server unpacks archives. Only used as the location of the data directory, see `historyserver.data.dir`; existing files there are not changed.";
    QUERY_TIMEOUT = Own "historyserver.web.query-timeout", Kind::Duration(Zero::Refused), Some("30 s"), Full,
        "How long a search, a page of a list, facets or statistics may take; after that the answer is 503. Only a few of them run at the same time; the others wait.";
    MAX_CONNECTIONS = Own "historyserver.web.max-connections", Kind::Integer(1, 1_000_000), Some("1024"), Full,
        "Maximum number of connections. When there are more, the server closes connections that have been idle longest, then connections whose client does not read its answer; others wait up to 10 seconds and get 503. Probes are always answered.";
    MAX_CONNECTIONS_PER_CLIENT = Own "historyserver.web.max-connections-per-client", Kind::Integer(1, 1_000_000), Some("512"), Full,
        "Maximum number of connections of one client: one IPv4 address, or one IPv6 network of 64 bits. Behind a proxy all users are one client; set it to the number of all connections there.";
    EXPENSIVE_REQUESTS = Own "historyserver.web.expensive-requests-per-client", Kind::Integer(1, 1_000_000), Some("8"), Full,
        "Maximum number of statistics, searches, facets, histories, comparisons, exports and downloads of one client at the same time; further ones wait, and beyond a few that wait they are answered 429. A client is a user, a token or a certificate, and without authentication an address. Behind a proxy without authentication all users are one client; set it to the number of all such requests there.";
    MIN_READ_RATE = Own "historyserver.web.least-read-rate", Kind::Size(Zero::Allowed), Some("1 kb"), Full,
        "Bytes per second that a client must read of its answer, checked every minute; the connection of a slower client is closed. With 0 the client must read at least one byte per minute.";
    ANSWER_MEMORY = Own "historyserver.web.answer-memory", Kind::Size(Zero::Refused), Some("32 mb"), Full,
        "Memory for answers that clients have not read yet. When it is used up, long answers are produced in small pieces, the connection of the client that has read nothing for the longest time is closed, and, if there is no such client, lists are answered 503.";
    OPERATIONS_ADDRESS = Own "historyserver.web.operations-address", Kind::Text, None, Full,
        "A second address or host name to listen on, which serves only `/healthz`, `/readyz` and `/metrics`, without TLS. It has a limit of connections of its own. Unset: no second address; the first address always serves them.";
    OPERATIONS_PORT = Own "historyserver.web.operations-port", Kind::Integer(0, 65_535), Some("8083"), Full,
        "Port of that address. 0: any free port; the log shows it.";
    WEB_SSL_ENABLED = Flink "historyserver.web.ssl.enabled", Kind::Switch, Some("false"), Full,
        "HTTPS, with the `security.ssl.rest.*` key stores or the PEM files below. Unlike in Flink, with true the server never serves plain HTTP, whatever `security.ssl.rest.enabled` is.";
    WEB_SSL_CERTIFICATE = Own "historyserver.web.ssl.certificate", Kind::Path, None, Full,
        "Certificate chain in PEM format, in place of `security.ssl.rest.keystore`. Read again when it changes.";
    WEB_SSL_PRIVATE_KEY = Own "historyserver.web.ssl.private-key", Kind::Path, None, Full,
        "Private key of the certificate in PEM format, not encrypted.";
    WEB_SSL_CLIENT_CA = Own "historyserver.web.ssl.client-ca", Kind::Path, None, Full,
        "Certificates in PEM format of the authorities that may sign client certificates, in place of `security.ssl.rest.truststore`. When set, clients must present a certificate.";
    WEB_HOSTS = Own "historyserver.web.hosts", Kind::List(','), None, Full,
        "Host names of this server, such as `flink.example.org` or `*.example.org`. A server on a loopback address answers only requests to these names, localhost and loopback addresses, so that no web page can read the server under a host name of its own. On other addresses, unset means that reads are answered under any name, and a list means that they are answered under these names, under IP addresses and localhost; actions always need one of these. `*`: any name for reading.";
    FRAME_ANCESTORS = Own "historyserver.web.frame-ancestors", Kind::List(','), None, Full,
        "Origins whose pages may show this server in a frame, such as `https://portal.example.org`, `https://*.example.org`, `self` or `*`. Unset: none.";
    CORS_ORIGINS = Own "historyserver.web.cors-origins", Kind::List(','), None, Full,
        "Origins whose scripts may read this server from a browser (CORS, GET and HEAD), such as `https://portal.example.org`; `*` is every origin. Unset: none.";
    ALLOW_REMOTE_ACTIONS = Own "historyserver.web.allow-remote-actions", Kind::Switch, Some("false"), Full,
        "Whether refresh and cleanup may be requested over HTTP when the server listens on more than loopback, under its addresses, localhost and the names of `historyserver.web.hosts`.";
    AUTHENTICATION = Own "historyserver.security.authentication", Kind::List(','), None, Full,
        "How clients sign in, tried in this order: `proxy` (a proxy names the user), `bearer` (tokens in the header `Authorization`), `oidc` (sign-in in the browser at an OpenID provider), `tls` (client certificates). `none`: no sign-in, every client may read everything. Unset: none on loopback; on other addresses the server does not start, except with Flink's own configuration directory.";
    TRUSTED_PROXIES = Own "historyserver.security.trusted-proxies", Kind::List(','), None, Full,
        "Addresses and networks of proxies whose headers about users and clients are believed, such as `10.0.0.0/8`. These headers are removed from requests of other addresses.";
    PROXY_USER_HEADERS = Own "historyserver.security.proxy.user-headers", Kind::List(','), Some("X-Auth-Request-User,X-Forwarded-User"), Full,
        "Headers in which the proxy names the user; the first one that a request has counts. The proxy must replace them in what clients send.";
    PROXY_GROUPS_HEADER = Own "historyserver.security.proxy.groups-header", Kind::Text, Some("X-Auth-Request-Groups"), Full,
        "Header in which the proxy lists the groups of the user, separated by commas. The proxy must replace it in what clients send.";
    PROXY_JWT_HEADER = Own "historyserver.security.proxy.jwt-header", Kind::Text, None, Full,
        "Header with a JWT that the proxy has signed, in place of the headers above: `X-Amzn-Oidc-Data` of AWS load balancers, `X-Goog-IAP-JWT-Assertion` of Google IAP.";
    PROXY_JWKS = Own "historyserver.security.proxy.jwks", Kind::Text, None, Full,
        "Public keys of the proxy: URL or file of a JWK set. With `{kid}` in a URL, a PEM file per key: `https://public-keys.auth.elb.REGION.amazonaws.com/{kid}`; then the audience is the `signer`, the ARN of the load balancer.";
    PROXY_ISSUER = Own "historyserver.security.proxy.issuer", Kind::Text, None, Full, "Issuer (`iss`) of these tokens.";
    PROXY_AUDIENCE = Own "historyserver.security.proxy.audience", Kind::List(','), None, Full, "Audiences (`aud`) of which these tokens must have one.";
    PROXY_ALGORITHMS = Own "historyserver.security.proxy.algorithms", Kind::List(','), Some("RS256,ES256"), Full,
        "Algorithms of these tokens: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA.";
    BEARER_FILE = Own "historyserver.security.bearer.file", Kind::Path, None, Full,
        "File with static tokens for programs, made by `historyserver token create`. It has hashes only, and is read again when it changes.";
    BEARER_JWKS = Own "historyserver.security.bearer.jwks", Kind::Text, None, Full,
        "Public keys of the issuer of JWTs that clients present: URL or file of a JWK set. New keys are used without a restart.";
    BEARER_ISSUER = Own "historyserver.security.bearer.issuer", Kind::Text, None, Full, "Issuer (`iss`) of these tokens.";
    BEARER_AUDIENCE = Own "historyserver.security.bearer.audience", Kind::List(','), None, Full, "Audiences (`aud`) of which these tokens must have one.";
    BEARER_ALGORITHMS = Own "historyserver.security.bearer.algorithms", Kind::List(','), Some("RS256,ES256"), Full,
        "Algorithms of these tokens: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA.";
    OIDC_ISSUER = Own "historyserver.security.oidc.issuer", Kind::Text, None, Full,
        "URL of the OpenID provider at which users sign in with their browser; its metadata is at `/.well-known/openid-configuration` below it.";
    OIDC_CLIENT_ID = Own "historyserver.security.oidc.client-id", Kind::Text, None, Full, "Id of this server at the provider.";
    OIDC_CLIENT_SECRET = Own "historyserver.security.oidc.client-secret", Kind::Text, None, Full, "Its secret. Unset: it has none, PKCE protects the sign-in.";
    OIDC_SCOPES = Own "historyserver.security.oidc.scopes", Kind::List(','), Some("profile"), Full,
        "Scopes that are requested beside `openid`. Add `groups` if the provider needs it for groups, and `offline_access` if it needs it for refresh tokens.";
    OIDC_SESSION = Own "historyserver.security.oidc.session", Kind::Duration(Zero::Refused), Some("12 h"), Full,
        "Longest session of a browser. If the provider gives refresh tokens, it is asked whenever its ID token has expired.";
    EXTERNAL_URL = Own "historyserver.security.external-url", Kind::Text, None, Full,
        "URL under which browsers see this server, with the path prefix of a proxy. Register `auth/callback` below it at the provider.";
    COOKIE_KEY_FILE = Own "historyserver.security.cookie-key-file", Kind::Path, None, Full,
        "File with the key that encrypts sessions, the same on all replicas. Make it by `openssl rand -base64 48`. A new key ends all sessions.";
    USER_CLAIM = Own "historyserver.security.user-claim", Kind::Text, Some("sub"), Full,
        "Claim of a JWT with the name of the user. Use `email` or `preferred_username` only if users cannot change it at the issuer.";
    GROUPS_CLAIM = Own "historyserver.security.groups-claim", Kind::Text, Some("groups"), Full,
        "Claim of a JWT with the groups of the user: a list of texts.";
    OPEN_METRICS = Own "historyserver.security.open-metrics", Kind::Switch, None, Full,
        "Whether `/metrics` is answered without authentication; it shows the URLs of archive directories. Unset: only where the server listens on loopback. `historyserver.web.operations-address` always serves it.";
    FLINK_VERSION = Own "historyserver.web.flink-version", Kind::Text, None, Full,
        "Flink version that `/config` reports, and whose clients read `/jobs/overview`: clients of 1.17 and 1.18 reject `jobType`, `schedulerType` and `pending-operators`, clients of 2.0 and later need them. Unset: 2.3, and a list without these members as long as no archive has them.";
    JOBMANAGER_LOG_URL = Flink "historyserver.log.jobmanager.url-pattern", Kind::Text, None, Full,
        "URL of the logs of JobManagers: http or https, with `<jobid>` in it. Unset: no link.";
    TASKMANAGER_LOG_URL = Flink "historyserver.log.taskmanager.url-pattern", Kind::Text, None, Full,
        "URL of the logs of TaskManagers: http or https, with `<jobid>` and `<tmid>` in it. Unset: no link.";
    LOG_FORMAT = Own "historyserver.log.format", Kind::Choice(&["text", "json"]), Some("text"), Full,
        "Format of the server's log on standard error.";
    LOG_LEVEL = Own "historyserver.log.level", Kind::Text, Some("info"), Full,
        "Lowest level that is logged: error, warn, info, debug or trace, also by module (`info,historyserver::refresh=debug`). `RUST_LOG` does the same.";
    DEFAULT_SCHEME = Core "fs.default-scheme", Kind::Text, None, Full,
        "Scheme and authority of archive directories without a scheme, such as `s3://bucket/`: `/completed-jobs` is then `s3://bucket/completed-jobs`. A path in it is ignored, as in Flink. Unset: the local file system.";
    REST_ENABLED = Security "security.ssl.rest.enabled", Kind::Switch, Some("false"), Full,
        "Flink's switch for TLS of its REST endpoints. It alone does not turn HTTPS on here, as in Flink: see `historyserver.web.ssl.enabled`.";
    REST_AUTHENTICATION = Security "security.ssl.rest.authentication-enabled", Kind::Switch, Some("false"), Full,
        "Whether clients must present a certificate that the trust store accepts.";
    REST_KEYSTORE = Security "security.ssl.rest.keystore", Kind::Path, None, Full,
        "PKCS#12 file with the server's certificate and key. Else `security.ssl.keystore`.";
    REST_KEYSTORE_PASSWORD = Security "security.ssl.rest.keystore-password", Kind::Text, None, Full,
        "Password of that file. Else `security.ssl.keystore-password`.";
    REST_KEY_PASSWORD = Security "security.ssl.rest.key-password", Kind::Text, None, Full,
        "Password of the key in it; in PKCS#12 files that Java can read, it equals the password of the file. Else `security.ssl.key-password`.";
    REST_KEYSTORE_TYPE = Security "security.ssl.rest.keystore-type", Kind::Text, None, Full,
        "Type of that file: only PKCS12. Else `security.ssl.keystore-type`.";
    REST_TRUSTSTORE = Security "security.ssl.rest.truststore", Kind::Path, None, Full,
        "PKCS#12 file with the certificates of the authorities that may sign client certificates. Else `security.ssl.truststore`.";
    REST_TRUSTSTORE_PASSWORD = Security "security.ssl.rest.truststore-password", Kind::Text, None, Full,
        "Password of that file. Else `security.ssl.truststore-password`.";
    REST_TRUSTSTORE_TYPE = Security "security.ssl.rest.truststore-type", Kind::Text, None, Full,
        "Type of that file: only PKCS12. Else `security.ssl.truststore-type`.";
    REST_FINGERPRINT = Security "security.ssl.rest.cert.fingerprint", Kind::List(','), None, Full,
        "SHA-1 fingerprints of the client certificates that are accepted; they must also be signed by an authority of the trust store.";
    KEYSTORE = Security "security.ssl.keystore", Kind::Path, None, Full, "Used where `security.ssl.rest.keystore` is unset.";
    KEYSTORE_PASSWORD = Security "security.ssl.keystore-password", Kind::Text, None, Full, "Used where `security.ssl.rest.keystore-password` is unset.";
    KEY_PASSWORD = Security "security.ssl.key-password", Kind::Text, None, Full, "Used where `security.ssl.rest.key-password` is unset.";
    KEYSTORE_TYPE = Security "security.ssl.keystore-type", Kind::Text, None, Full, "Used where `security.ssl.rest.keystore-type` is unset.";
    TRUSTSTORE = Security "security.ssl.truststore", Kind::Path, None, Full, "Used where `security.ssl.rest.truststore` is unset.";
    TRUSTSTORE_PASSWORD = Security "security.ssl.truststore-password", Kind::Text, None, Full, "Used where `security.ssl.rest.truststore-password` is unset.";
    TRUSTSTORE_TYPE = Security "security.ssl.truststore-type", Kind::Text, None, Full, "Used where `security.ssl.rest.truststore-type` is unset.";
    SECURITY_RULES = Own "historyserver.security.rules", Kind::Text, None, Full,
        "Rules of who may do what with which applications, see [Rights](rights.md). In `historyserver.toml` an array of tables, elsewhere a JSON list of objects. Unset: all clients that are signed in may see everything, and none may request refreshes and cleanups.";
    SENSITIVE_KEYS = Own "historyserver.security.sensitive-keys", Kind::List(','), None, Full,
        "Parts of configuration keys whose values are masked, besides those that Flink takes for sensitive (`password`, `secret`, `token` and others).";
    SSL_PROTOCOL = Security "security.ssl.protocol", Kind::List(','), None, Full,
        "TLS versions that are spoken: TLSv1.2, TLSv1.3 or both. Unset: both. Older versions are insecure and refused.";
    SSL_ALGORITHMS = Security "security.ssl.algorithms", Kind::List(','), None, Full,
        "Cipher suites that the server offers, by their standard names. Unset: all safe ones. Unsafe ones in the list are ignored, with a warning.";
    STORAGE_TYPE = Later "historyserver.archive.storage.type", Kind::Text, None, None, "Flink 2.4's choice of a local cache.";
    LOAD_MODE = Later "historyserver.archive.load.mode", Kind::Text, None, None, "Flink 2.4's choice between loading at once and on demand.";
    LAZY_COMMON = Later "historyserver.lazy.fetch.executor.common.pool-size", Kind::Text, None, None, "Flink 2.4's threads for loading on demand.";
    LAZY_INDIVIDUAL = Later "historyserver.lazy.fetch.executor.individual.pool-size", Kind::Text, None, None, "Flink 2.4's threads for loading on demand.";
    SSL_PROVIDER = Security "security.ssl.provider", Kind::Text, None, None, "Flink's choice of a TLS library.";
    SSL_VERIFY = Security "security.ssl.verify-hostname", Kind::Text, None, None, "Flink's check of servers by its own clients.";
}

/// The option with this key. All of `historyserver.lazy.fetch.*` is known: Flink 2.4 is not released, and its keys may still change.
#[must_use]
pub fn find(key: &str) -> Option<&'static Spec> {
    let lazy = || key.starts_with("historyserver.lazy.fetch.").then_some(&LAZY_COMMON);
    ALL.iter().copied().find(|spec| spec.key == key).or_else(lazy)
}

/// Whether the key configures a file system or an object store.
pub(super) fn is_store_key(key: &str) -> bool {
    STORE_PREFIXES.iter().any(|prefix| key.starts_with(prefix))
}

/// Whether this server reads the key, or would read it if it were spelled correctly.
pub(super) fn is_read(key: &str) -> bool {
    find(key).is_some() || is_store_key(key) || key.starts_with("historyserver.")
}

/// The known key that is most similar to an unknown one; `None` when no key is similar.
#[must_use]
pub fn nearest(key: &str) -> Option<&'static str> {
    let similarity = |known: &str| strsim::normalized_damerau_levenshtein(known, &key.to_lowercase());
    ALL.iter()
        .map(|spec| (spec.key, similarity(spec.key)))
        .max_by(|(_, left), (_, right)| left.total_cmp(right))
        .filter(|(_, similarity)| *similarity >= 0.7)
        .map(|(key, _)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_a_value_of_its_kind() {
        for spec in ALL {
            assert_eq!(spec.default.and_then(|default| spec.kind.fault(default)), None, "{}", spec.key);
        }
    }

    #[test]
    fn keys_are_unique_and_flink_has_fourteen() {
        for (number, spec) in ALL.iter().enumerate() {
            assert!(ALL[number + 1..].iter().all(|other| other.key != spec.key), "{}", spec.key);
        }
        assert_eq!(ALL.iter().filter(|spec| spec.group == Group::Flink).count(), 14);
    }

    #[test]
    fn the_nearest_key_is_found() {
        assert_eq!(nearest("historyserver.web.prot"), Some("historyserver.web.port"));
        assert_eq!(nearest("historyserver.archive.retained-aplications"), Some("historyserver.archive.retained-applications"));
        assert_eq!(nearest("histroyserver.web.port"), Some("historyserver.web.port"));
        assert_eq!(nearest("taskmanager.numberOfTaskSlots"), None);
    }
}
