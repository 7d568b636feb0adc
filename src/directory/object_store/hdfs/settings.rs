//! Settings of the client: the NameNodes of a name service, from the configuration of Hadoop.

use std::collections::BTreeMap;

use hdfs_native::{Client, ClientBuilder, HdfsError};

use crate::directory::error::DirectoryError;

/// Port of a NameNode that is named without one.
const DEFAULT_PORT: u16 = 8020;
/// Options of Flink with this prefix are options of Hadoop. They win over its files.
const HADOOP_PREFIX: &str = "flink.hadoop.";

/// Options of the client that always apply. A call has a time limit, and a refresh is repeated anyway. By default a NameNode that
/// refuses connections is tried for three minutes.
const CLIENT: [(&str, &str); 4] = [
    ("dfs.client.failover.max.attempts", "4"),
    ("dfs.client.failover.sleep.base.millis", "100"),
    ("dfs.client.failover.sleep.max.millis", "1000"),
    ("dfs.client.socket-timeout", "10000"),
];

/// Where the NameNodes are, and how to log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::directory::object_store) struct Settings {
    /// The name service, or host and port of the only NameNode.
    authority: String,
    /// Ids of the NameNodes of the name service; empty for a single NameNode.
    ids: Vec<String>,
    /// Options of Hadoop.
    options: BTreeMap<String, String>,
    /// Principal and key tab of Kerberos.
    login: Option<(String, String)>,
}

impl Settings {
    /// Reads the settings of one directory.
    ///
    /// # Errors
    /// The name service has no NameNodes, or one of them has no address.
    pub(in crate::directory::object_store) fn new(authority: &str, options: &BTreeMap<String, String>) -> Result<Self, DirectoryError> {
        let value = |key: &str| options.get(key).map(|value| value.trim()).filter(|value| !value.is_empty());
        let hadoop: BTreeMap<String, String> = options
            .iter()
            .filter_map(|(key, value)| Some((key.strip_prefix(HADOOP_PREFIX)?.to_owned(), value.trim().to_owned())))
            .collect();
        let login = value("security.kerberos.login.principal").zip(value("security.kerberos.login.keytab"));
        let login = login.map(|(principal, keytab)| (principal.to_owned(), keytab.to_owned()));
        let has_port = authority.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
        let ids: Vec<String> = hadoop
            .get(&format!("dfs.ha.namenodes.{authority}"))
            .map(|ids| ids.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect())
            .unwrap_or_default();
        for id in &ids {
            let key = format!("dfs.namenode.rpc-address.{authority}.{id}");
            if hadoop.get(&key).is_none_or(String::is_empty) {
                return Err(DirectoryError::refused(format!(
                    "the name service {authority} has the NameNode {id}, but {key} is not set; set it in hdfs-site.xml in the directory of \
                     HADOOP_CONF_DIR"
                )));
            }
        }
        let authority = if has_port || !ids.is_empty() {
            authority.to_owned()
        } else if let Some(address) = hadoop.get(&format!("dfs.namenode.rpc-address.{authority}")) {
            address.clone()
        } else {
            format!("{authority}:{DEFAULT_PORT}")
        };
        Ok(Self { authority, ids, options: hadoop, login })
    }

    /// The name service, or host and port of the only NameNode.
    pub(super) fn authority(&self) -> &str {
        &self.authority
    }

    /// Number of NameNodes.
    pub(super) fn namenodes(&self) -> usize {
        self.ids.len().max(1)
    }

    /// Makes a client that asks the NameNodes in turn, beginning with this number. To be called within a runtime: else the client starts
    /// one of its own.
    pub(super) fn build(&self, first: usize) -> Result<Client, HdfsError> {
        let mut options = self.options.clone();
        options.extend(CLIENT.map(|(key, value)| (key.to_owned(), value.to_owned())));
        if !self.ids.is_empty() {
            let mut ids = self.ids.clone();
            ids.rotate_left(first % self.ids.len());
            // The client splits at commas only, and shuffles on request.
            options.insert(format!("dfs.ha.namenodes.{}", self.authority), ids.join(","));
            options.insert(format!("dfs.client.failover.random.order.{}", self.authority), "false".to_owned());
        }
        let builder = ClientBuilder::new().with_url(format!("hdfs://{}", self.authority)).with_config(options);
        let builder = match &self.login {
            Some((principal, keytab)) => builder.with_kerberos_principal(principal).with_kerberos_keytab(keytab),
            None => builder,
        };
        builder.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_single_namenode_has_a_port_and_a_name_service_has_ids() {
        for (authority, pairs, expected, namenodes) in [
            ("host", &[][..], "host:8020", 1),
            ("host:9000", &[], "host:9000", 1),
            ("ns", &[("flink.hadoop.dfs.namenode.rpc-address.ns", "one:8020")], "one:8020", 1),
            (
                "ns",
                &[
                    ("flink.hadoop.dfs.ha.namenodes.ns", "a , b"),
                    ("flink.hadoop.dfs.namenode.rpc-address.ns.a", "one:8020"),
                    ("flink.hadoop.dfs.namenode.rpc-address.ns.b", "two:8020"),
                ],
                "ns",
                2,
            ),
        ] {
            let settings = Settings::new(authority, &options(pairs)).unwrap();
            assert_eq!((settings.authority(), settings.namenodes()), (expected, namenodes), "{authority} {pairs:?}");
        }
        let missing = options(&[("flink.hadoop.dfs.ha.namenodes.ns", "a,b"), ("flink.hadoop.dfs.namenode.rpc-address.ns.a", "one:8020")]);
        let error = Settings::new("ns", &missing).unwrap_err();
        assert!(error.message.contains("dfs.namenode.rpc-address.ns.b is not set"), "{error}");
    }
}
