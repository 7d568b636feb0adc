//! Hadoop's configuration: `core-site.xml` and `hdfs-site.xml`, for the name services of HDFS.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::problem::ConfigProblem;
use super::settings::{Environment, Origin, Settings};

/// The files, of which later ones override earlier ones.
const FILES: [&str; 2] = ["core-site.xml", "hdfs-site.xml"];
/// Flink's options for the directory, the first of which wins.
const OPTIONS: [&str; 2] = ["fs.hdfs.hadoopconf", "env.hadoop.conf.dir"];
/// Greatest depth of included files and of variables in values.
const DEPTH: usize = 8;

/// The properties of Hadoop's configuration; empty without a directory. The directory is named by Flink's options, else by
/// `HADOOP_CONF_DIR`, else it is `etc/hadoop` in `HADOOP_HOME`.
pub(super) fn read(settings: &Settings, environment: &Environment, problems: &mut Vec<ConfigProblem>) -> BTreeMap<String, String> {
    let mut properties = BTreeMap::new();
    let of_options = OPTIONS.iter().find_map(|key| settings.get(*key)).map(|setting| (setting.value.text(","), setting.origin.clone()));
    let of_variable = |name: &str| environment.variable(name).map(|value| (value.trim().to_owned(), Origin::Variable(name.to_owned())));
    let of_home = || of_variable("HADOOP_HOME").map(|(home, origin)| (format!("{home}/etc/hadoop"), origin));
    let Some((directory, origin)) = of_options.or_else(|| of_variable("HADOOP_CONF_DIR")).or_else(of_home) else { return properties };
    let directory = environment.working_directory.join(directory);
    if !directory.is_dir() {
        problems.push(ConfigProblem {
            key: None,
            origin,
            message: format!("{} is not a directory; it must contain Hadoop's core-site.xml and hdfs-site.xml", directory.display()),
        });
        return properties;
    }
    for file in FILES {
        let path = directory.join(file);
        if path.exists()
            && let Err(message) = add(&path, &mut properties, 0)
        {
            problems.push(ConfigProblem { key: None, origin: Origin::File(path, None), message });
        }
    }
    properties.iter().map(|(name, value)| (name.clone(), expand(value, &properties, 0))).collect()
}

/// Adds the properties of one file.
fn add(path: &Path, properties: &mut BTreeMap<String, String>, depth: usize) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot be read: {error}"))?;
    let options = roxmltree::ParsingOptions { allow_dtd: true, ..roxmltree::ParsingOptions::default() };
    let document = roxmltree::Document::parse_with_options(&text, options).map_err(|error| format!("is not valid XML: {error}"))?;
    for element in document.root_element().children().filter(roxmltree::Node::is_element) {
        let child = |name: &str| element.children().find(|child| child.has_tag_name(name)).and_then(|child| child.text()).map(str::trim);
        match element.tag_name().name() {
            "property" => {
                if let (Some(name), Some(value)) = (child("name"), child("value")) {
                    properties.insert(name.to_owned(), value.to_owned());
                }
            }
            "include" if depth < DEPTH => {
                if let Some(target) = element.attribute("href") {
                    let included: PathBuf = path.parent().unwrap_or(Path::new("/")).join(target.trim_start_matches("file://"));
                    add(&included, properties, depth + 1).map_err(|error| format!("includes {}, which {error}", included.display()))?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Replaces `${name}` by the value of another property.
fn expand(value: &str, properties: &BTreeMap<String, String>, depth: usize) -> String {
    let mut result = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("${") {
        result.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            result.push_str("${");
            rest = after;
            continue;
        };
        if let Some(value) = properties.get(name).filter(|_| depth < DEPTH) {
            result.push_str(&expand(value, properties, depth + 1));
        } else {
            result.push_str("${");
            result.push_str(name);
            result.push('}');
        }
        rest = after;
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(files: &[(&str, &str)]) -> (BTreeMap<String, String>, Vec<ConfigProblem>) {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let variables = [("HADOOP_CONF_DIR".to_owned(), folder.path().display().to_string())].into();
        let environment = Environment { variables, working_directory: PathBuf::from("/") };
        let mut problems = Vec::new();
        (read(&Settings::new(), &environment, &mut problems), problems)
    }

    #[test]
    fn properties_are_read_with_variables_and_included_files() {
        let core = "<?xml version=\"1.0\"?><configuration xmlns:xi=\"http://www.w3.org/2001/XInclude\">\
             <property><name>fs.defaultFS</name><value> hdfs://${ns} </value></property>\
             <property><name>ns</name><value>one</value></property><property><name>empty</name></property>\
             <property><name>open</name><value>${unknown} ${</value></property><xi:include href=\"more.xml\"/></configuration>";
        let hdfs = "<configuration><property><name>ns</name><value>two</value><final>true</final></property></configuration>";
        let more = "<configuration><property><name>included</name><value>yes</value></property></configuration>";
        let (found, problems) = properties(&[("core-site.xml", core), ("hdfs-site.xml", hdfs), ("more.xml", more)]);
        let expected = [("fs.defaultFS", "hdfs://two"), ("included", "yes"), ("ns", "two"), ("open", "${unknown} ${")];
        assert_eq!(found, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
        assert_eq!(problems, []);
    }

    #[test]
    fn faults_of_the_files_are_problems() {
        for (name, text) in
            [("core-site.xml", "<configuration>"), ("hdfs-site.xml", "<configuration><include href=\"missing.xml\"/></configuration>")]
        {
            let (_, problems) = properties(&[(name, text)]);
            assert!(problems.len() == 1 && problems[0].origin.to_string().ends_with(name), "{problems:?}");
        }
        let variables = [("HADOOP_CONF_DIR".to_owned(), "/no/such/folder".to_owned())].into();
        let environment = Environment { variables, working_directory: PathBuf::from("/") };
        let mut problems = Vec::new();
        assert!(read(&Settings::new(), &environment, &mut problems).is_empty());
        assert!(problems[0].message.contains("/no/such/folder is not a directory"), "{problems:?}");
    }
}
