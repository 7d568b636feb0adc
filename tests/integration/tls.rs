//! HTTPS with key stores as Java's keytool and openssl write them, real handshakes, client certificates and reload.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use historyserver::api::{self, ServeOptions};
use historyserver::config::{Config, ConfigErrors, Environment, Sources, SslConfig};
use historyserver::tls::{self, Acceptor};
use reqwest::{Certificate, Client, Identity};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::support::process::Process;

/// A folder of keys and stores, all with this password.
struct Keys(tempfile::TempDir);

const PASSWORD: &str = "top secret";

impl Keys {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let output = Command::new(program).args(arguments).current_dir(self.0.path()).output().unwrap();
        assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    }

    /// A key store with a key and its own certificate, as Flink's documentation says to make it; the certificate as `<name>.pem` too.
    fn java_store(&self, name: &str, kind: &str) {
        let store = format!("{name}.store");
        let common = ["-storetype", kind, "-storepass", PASSWORD, "-keystore", &store, "-alias", "flink.rest"];
        let made =
            ["-genkeypair", "-keypass", PASSWORD, "-keyalg", "EC", "-dname", "CN=localhost", "-ext", "SAN=dns:localhost,ip:127.0.0.1"];
        self.run("keytool", &[&made[..], &common].concat());
        self.run("keytool", &[&["-exportcert", "-rfc", "-file", &format!("{name}.pem")][..], &common].concat());
    }

    /// A trust store with these certificates.
    fn java_trust(&self, name: &str, certificates: &[&str]) {
        for certificate in certificates {
            let file = format!("{certificate}.pem");
            self.run(
                "keytool",
                &[
                    "-importcert",
                    "-noprompt",
                    "-storetype",
                    "PKCS12",
                    "-keystore",
                    name,
                    "-storepass",
                    PASSWORD,
                    "-alias",
                    certificate,
                    "-file",
                    &file,
                ],
            );
        }
    }

    /// A key `<name>.key` and its own certificate `<name>.pem`.
    fn self_signed(&self, name: &str) {
        let (key, pem) = (format!("{name}.key"), format!("{name}.pem"));
        self.run(
            "openssl",
            &[
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-days",
                "30",
                "-keyout",
                &key,
                "-out",
                &pem,
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1",
                "-addext",
                "basicConstraints=CA:FALSE",
            ],
        );
    }

    /// An authority `ca.pem`, and `<name>.key` with `<name>.pem` signed by it.
    fn signed(&self, name: &str) {
        if !self.path("ca.pem").exists() {
            self.run(
                "openssl",
                &[
                    "req",
                    "-x509",
                    "-newkey",
                    "rsa:2048",
                    "-nodes",
                    "-days",
                    "30",
                    "-keyout",
                    "ca.key",
                    "-out",
                    "ca.pem",
                    "-subj",
                    "/CN=Authority",
                ],
            );
        }
        let (key, csr, pem) = (format!("{name}.key"), format!("{name}.csr"), format!("{name}.pem"));
        std::fs::write(self.path("ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n").unwrap();
        self.run("openssl", &["req", "-newkey", "rsa:2048", "-nodes", "-keyout", &key, "-out", &csr, "-subj", "/CN=localhost"]);
        self.run(
            "openssl",
            &[
                "x509",
                "-req",
                "-in",
                &csr,
                "-CA",
                "ca.pem",
                "-CAkey",
                "ca.key",
                "-CAcreateserial",
                "-days",
                "30",
                "-extfile",
                "ext",
                "-out",
                &pem,
            ],
        );
    }

    fn configuration(&self, options: &[(&str, &str)]) -> Result<SslConfig, ConfigErrors> {
        let mut overrides = vec!["historyserver.archive.fs.dir=/a".to_owned(), "historyserver.web.ssl.enabled=true".to_owned()];
        overrides.extend(options.iter().map(|(key, value)| format!("{key}={value}")));
        let environment = Environment { working_directory: self.0.path().to_owned(), ..Environment::default() };
        Ok(Config::load(&Sources { overrides, ..Sources::default() }, &environment)?.config.ssl)
    }

    fn acceptor(&self, options: &[(&str, &str)]) -> Result<Acceptor, ConfigErrors> {
        Ok(tls::acceptor(&self.configuration(options)?)?.expect("TLS is on"))
    }

    fn fault(&self, options: &[(&str, &str)]) -> String {
        match self.acceptor(options) {
            Ok(_) => panic!("{options:?} was taken"),
            Err(errors) => errors.to_string(),
        }
    }

    /// A client that trusts this certificate alone.
    fn client(&self, trusts: &str) -> reqwest::ClientBuilder {
        let certificate = Certificate::from_pem(&self.text(&format!("{trusts}.pem"))).unwrap();
        Client::builder().no_proxy().tls_certs_only([certificate]).timeout(Duration::from_secs(30))
    }

    fn identity(&self, name: &str) -> Identity {
        Identity::from_pem(&[self.text(&format!("{name}.key")), self.text(&format!("{name}.pem"))].concat()).unwrap()
    }
}

const REST_STORE: (&str, &str) = ("security.ssl.rest.keystore", "server.store");
const REST_PASSWORD: (&str, &str) = ("security.ssl.rest.keystore-password", PASSWORD);

/// A server that says hello, until it is dropped.
struct Server {
    port: u16,
    _stop: tokio_util::sync::DropGuard,
}

impl Server {
    async fn start(acceptor: Acceptor) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = CancellationToken::new();
        let router = Router::new().route("/", get(|| async { "hello" }));
        historyserver::tasks::spawn(api::serve(listener, Some(acceptor), router, stop.clone(), ServeOptions::default()));
        Self { port, _stop: stop.drop_guard() }
    }

    fn url(&self, scheme: &str) -> String {
        format!("{scheme}://localhost:{}/", self.port)
    }

    async fn answers(&self, client: reqwest::ClientBuilder) -> bool {
        // A client of its own each time: no connection is used twice.
        let response = client.build().unwrap().get(self.url("https")).send().await;
        match response {
            Ok(response) => response.text().await.is_ok_and(|text| text == "hello"),
            Err(_) => false,
        }
    }
}

#[tokio::test]
async fn flinks_key_store_is_served_and_plain_http_is_not() {
    let keys = Keys::new();
    keys.java_store("server", "PKCS12");
    keys.self_signed("stranger");
    for options in [[REST_STORE, REST_PASSWORD], [("security.ssl.keystore", "server.store"), ("security.ssl.keystore-password", PASSWORD)]]
    {
        let server = Server::start(keys.acceptor(&options).unwrap()).await;
        assert!(server.answers(keys.client("server")).await);
        assert!(!server.answers(keys.client("stranger")).await);
        let plain = Client::builder().no_proxy().build().unwrap().get(server.url("http")).send().await;
        assert!(plain.is_err(), "{plain:?}");
    }
}

#[tokio::test]
async fn stores_of_openssl_are_read_with_their_chain_in_new_and_old_encryption() {
    let keys = Keys::new();
    keys.signed("server");
    let export = ["pkcs12", "-export", "-inkey", "server.key", "-in", "server.pem", "-certfile", "ca.pem", "-out", "server.store"];
    let password = format!("pass:{PASSWORD}");
    for extra in [&[][..], &["-legacy"], &["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"]] {
        keys.run("openssl", &[&export[..], &["-passout", &password], extra].concat());
        let server = Server::start(keys.acceptor(&[REST_STORE, REST_PASSWORD]).unwrap()).await;
        assert!(server.answers(keys.client("ca")).await, "{extra:?}");
    }
}

#[tokio::test]
async fn pem_files_are_served_and_protocols_and_suites_are_held() {
    let keys = Keys::new();
    keys.signed("server");
    let pem = [("historyserver.web.ssl.certificate", "server.pem"), ("historyserver.web.ssl.private-key", "server.key")];
    let answers = async |more: &[(&str, &str)]| {
        let server = Server::start(keys.acceptor(&[&pem[..], more].concat()).unwrap()).await;
        let only = |version| keys.client("ca").tls_version_min(version).tls_version_max(version);
        (server.answers(only(reqwest::tls::Version::TLS_1_2)).await, server.answers(only(reqwest::tls::Version::TLS_1_3)).await)
    };
    assert_eq!(answers(&[]).await, (true, true));
    assert_eq!(answers(&[("security.ssl.protocol", "TLSv1.2")]).await, (true, false));
    assert_eq!(answers(&[("security.ssl.protocol", "TLSv1.3")]).await, (false, true));
    let flinks = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_RSA_WITH_AES_128_CBC_SHA";
    assert_eq!(answers(&[("security.ssl.algorithms", flinks)]).await, (true, false));
    let fault = keys.fault(&[&pem[..], &[("security.ssl.algorithms", "TLS_RSA_WITH_AES_128_CBC_SHA")]].concat());
    assert!(fault.contains("none of TLS_RSA_WITH_AES_128_CBC_SHA is a supported cipher suite"), "{fault}");
}

#[tokio::test]
async fn clients_must_show_a_certificate_that_the_trust_store_accepts() {
    let keys = Keys::new();
    keys.java_store("server", "PKCS12");
    keys.self_signed("friend");
    keys.self_signed("stranger");
    keys.java_trust("trust.store", &["friend"]);
    let options = [
        REST_STORE,
        REST_PASSWORD,
        ("security.ssl.rest.authentication-enabled", "true"),
        ("security.ssl.truststore", "trust.store"),
        ("security.ssl.truststore-password", PASSWORD),
    ];
    let server = Server::start(keys.acceptor(&options).unwrap()).await;
    assert!(server.answers(keys.client("server").identity(keys.identity("friend"))).await);
    assert!(!server.answers(keys.client("server").identity(keys.identity("stranger"))).await);
    assert!(!server.answers(keys.client("server")).await);
}

#[tokio::test]
async fn a_key_store_may_be_its_own_trust_store_and_authorities_may_be_pem() {
    let keys = Keys::new();
    keys.signed("server");
    keys.signed("client");
    let password = format!("pass:{PASSWORD}");
    keys.run("openssl", &["pkcs12", "-export", "-inkey", "ca.key", "-in", "ca.pem", "-out", "ca.store", "-passout", &password]);
    let pem = [("historyserver.web.ssl.certificate", "server.pem"), ("historyserver.web.ssl.private-key", "server.key")];
    let stores = [
        ("security.ssl.rest.authentication-enabled", "true"),
        ("security.ssl.rest.truststore", "ca.store"),
        ("security.ssl.rest.truststore-password", PASSWORD),
    ];
    for trust in [&stores[..], &[("historyserver.web.ssl.client-ca", "ca.pem")]] {
        let server = Server::start(keys.acceptor(&[&pem[..], trust].concat()).unwrap()).await;
        assert!(server.answers(keys.client("ca").identity(keys.identity("client"))).await);
        assert!(!server.answers(keys.client("ca")).await);
    }
}

#[tokio::test]
async fn of_the_trusted_only_those_with_a_known_fingerprint_are_accepted() {
    let keys = Keys::new();
    keys.signed("server");
    keys.signed("friend");
    keys.signed("other");
    let output = Command::new("openssl")
        .args(["x509", "-noout", "-fingerprint", "-sha1", "-in", "friend.pem"])
        .current_dir(keys.0.path())
        .output()
        .unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let fingerprint = printed.trim().split('=').nth(1).unwrap();
    let options = [
        ("historyserver.web.ssl.certificate", "server.pem"),
        ("historyserver.web.ssl.private-key", "server.key"),
        ("historyserver.web.ssl.client-ca", "ca.pem"),
        ("security.ssl.rest.cert.fingerprint", fingerprint),
    ];
    let server = Server::start(keys.acceptor(&options).unwrap()).await;
    assert!(server.answers(keys.client("ca").identity(keys.identity("friend"))).await);
    assert!(!server.answers(keys.client("ca").identity(keys.identity("other"))).await);
}

#[tokio::test]
async fn certificates_that_change_are_taken_and_broken_ones_are_not() {
    let keys = Keys::new();
    keys.self_signed("first");
    keys.self_signed("second");
    let install = |name: &str| {
        // As a tool that renews certificates does it: beside, then renamed.
        for kind in ["key", "pem"] {
            std::fs::copy(keys.path(&format!("{name}.{kind}")), keys.path("new")).unwrap();
            std::fs::rename(keys.path("new"), keys.path(&format!("live.{kind}"))).unwrap();
        }
    };
    install("first");
    let options = [("historyserver.web.ssl.certificate", "live.pem"), ("historyserver.web.ssl.private-key", "live.key")];
    let mut acceptor = keys.acceptor(&options).unwrap();
    let server = Server::start(acceptor.clone()).await;
    assert!(server.answers(keys.client("first")).await);
    assert_eq!(acceptor.reload_if_changed(), Ok(false));

    std::fs::write(keys.path("live.pem"), "nothing").unwrap();
    assert!(acceptor.reload_if_changed().is_err());
    assert_eq!(acceptor.reload_if_changed(), Ok(false), "it is said once");
    assert!(server.answers(keys.client("first")).await);

    install("second");
    assert_eq!(acceptor.reload_if_changed(), Ok(true));
    assert!(server.answers(keys.client("second")).await);
    assert!(!server.answers(keys.client("first")).await);

    // By the clock, and until it is stopped.
    let stop = CancellationToken::new();
    let reloading = historyserver::tasks::spawn(acceptor.reload(Duration::from_millis(5), stop.clone()));
    install("first");
    let taken = async {
        while !server.answers(keys.client("first")).await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), taken).await.expect("the first certificate is taken again");
    stop.cancel();
    reloading.await.unwrap();
}

#[test]
fn a_java_key_store_is_refused_with_the_command_that_converts_it() {
    let keys = Keys::new();
    keys.java_store("server", "JKS");
    let fault = keys.fault(&[REST_STORE, REST_PASSWORD]);
    assert!(fault.starts_with("security.ssl.rest.keystore") && fault.contains("is a JKS store"), "{fault}");
    let command = fault.split("convert it by ").nth(1).unwrap();
    let arguments: Vec<&str> = command.split_whitespace().skip(1).chain(["-srcstorepass", PASSWORD, "-deststorepass", PASSWORD]).collect();
    keys.run("keytool", &arguments);
    assert!(keys.acceptor(&[("security.ssl.rest.keystore", "server.p12"), REST_PASSWORD]).is_ok());
}

#[test]
fn an_option_that_cannot_be_followed_is_reported_with_its_file() {
    let keys = Keys::new();
    keys.java_store("server", "PKCS12");
    keys.self_signed("one");
    keys.self_signed("two");
    keys.java_trust("trust.store", &["one"]);
    keys.run("openssl", &["pkey", "-in", "one.key", "-aes256", "-passout", "pass:x", "-out", "encrypted.key"]);
    std::fs::write(keys.path("junk"), "nothing").unwrap();
    let (certificate, key) = ("historyserver.web.ssl.certificate", "historyserver.web.ssl.private-key");
    for (options, says) in [
        (vec![REST_STORE, ("security.ssl.rest.keystore-password", "wrong")], "server.store): has another password"),
        (vec![("security.ssl.keystore", "missing.p12"), REST_PASSWORD], "missing.p12): cannot be read"),
        (vec![("security.ssl.rest.keystore", "junk"), REST_PASSWORD], "junk): is not a valid PKCS12 store"),
        (vec![("security.ssl.rest.keystore", "trust.store"), REST_PASSWORD], "contains no private key with a certificate"),
        (vec![(certificate, "one.pem"), (key, "two.key")], "cannot be used together"),
        (vec![(certificate, "junk"), (key, "one.key")], "junk): contains no certificate"),
        (vec![(certificate, "one.pem"), (key, "encrypted.key")], "contains an encrypted key"),
        (vec![(certificate, "one.pem"), (key, "junk")], "contains no valid private key"),
        (vec![(certificate, "one.pem"), (key, "one.key"), ("historyserver.web.ssl.client-ca", "junk")], "client-ca"),
    ] {
        let fault = keys.fault(&options);
        assert!(fault.contains(says), "{options:?}: {fault}");
        assert!(!fault.contains(PASSWORD) && !fault.contains("wrong"), "{fault}");
    }
}

fn historyserver(keys: &Path, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_historyserver")).args(options).current_dir(keys).env_clear().output().unwrap()
}

#[test]
fn the_program_ends_with_64_rather_than_to_serve_plain_http() {
    let keys = Keys::new();
    keys.java_store("server", "JKS");
    let common = [
        "-Dhistoryserver.archive.fs.dir=a",
        "-Dhistoryserver.data.dir=data",
        "-Dhistoryserver.web.port=0",
        "-Dhistoryserver.web.ssl.enabled=true",
    ];
    let password = format!("-Dsecurity.ssl.rest.keystore-password={PASSWORD}");
    for (command, options) in [
        ("serve", vec![]),
        ("serve", vec!["-Dsecurity.ssl.rest.enabled=true"]),
        ("serve", vec!["-Dsecurity.ssl.rest.keystore=server.store", &password]),
        ("check-config", vec!["-Dsecurity.ssl.rest.keystore=server.store", &password]),
    ] {
        let output = historyserver(keys.0.path(), &[&[command][..], &common, &options].concat());
        assert_eq!(output.status.code(), Some(64), "{options:?}: {output:?}");
        assert!(!keys.path("data").exists(), "nothing was begun");
    }
}

#[tokio::test]
async fn the_program_serves_https_from_the_configuration_directory_of_flink() {
    let keys = Keys::new();
    keys.java_store("server", "PKCS12");
    let store = keys.path("server.store");
    std::fs::create_dir(keys.path("conf")).unwrap();
    let conf = format!(
        "historyserver:\n  archive.fs.dir: {}\n  data.dir: {}\n  web.port: 0\n  web.ssl.enabled: true\nsecurity.ssl.rest:\n  keystore: {}\n  keystore-password: {PASSWORD}\n  key-password: {PASSWORD}\n",
        keys.path("archives").display(),
        keys.path("data").display(),
        store.display()
    );
    std::fs::write(keys.path("conf/config.yaml"), conf).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_historyserver"));
    command.current_dir(keys.0.path()).args(["--configDir", "conf"]);
    let server = Process::spawn(command);
    assert!(server.base.starts_with("https://127.0.0.1:"), "{}", server.base);
    let answer = keys.client("server").build().unwrap().get(format!("{}/config", server.base)).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(!server.log().contains(PASSWORD), "{}", server.log());
}
