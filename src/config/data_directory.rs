//! The default of the data directory: a location that survives a reboot.

use std::path::{Path, PathBuf};

use super::settings::Environment;

/// Name of the folder inside `historyserver.web.tmpdir`.
const INSIDE_TMPDIR: &str = "historyserver-data";

/// The data directory for these settings, and a warning, if there is one.
pub(super) fn choose(data_dir: Option<PathBuf>, web_tmpdir: Option<PathBuf>, environment: &Environment) -> (PathBuf, Option<String>) {
    if let Some(data_dir) = data_dir {
        return (environment.working_directory.join(data_dir), None);
    }
    if let Some(tmpdir) = web_tmpdir {
        let chosen = environment.working_directory.join(tmpdir).join(INSIDE_TMPDIR);
        let warning = format!(
            "the data directory is {}, since historyserver.data.dir is unset and historyserver.web.tmpdir is set. Flink's history server empties \
             that directory when it starts: set historyserver.data.dir before you run both",
            chosen.display()
        );
        return (chosen, Some(warning));
    }
    (lasting(environment), None)
}

/// `$XDG_STATE_HOME/historyserver`, `~/.local/state/historyserver` or `/var/lib/historyserver`: the first that survives a
/// reboot.
fn lasting(environment: &Environment) -> PathBuf {
    let of = |variable: &str, below: &str| environment.variable(variable).map(|folder| Path::new(folder).join(below));
    [of("XDG_STATE_HOME", "historyserver"), of("HOME", ".local/state/historyserver")]
        .into_iter()
        .flatten()
        .find(|path| path.is_absolute() && !is_temporary(path, environment))
        .unwrap_or_else(|| PathBuf::from("/var/lib/historyserver"))
}

fn is_temporary(path: &Path, environment: &Environment) -> bool {
    let named = environment.variable("TMPDIR").map(PathBuf::from);
    let fixed = ["/tmp", "/var/tmp", "/dev/shm", "/run"].map(PathBuf::from);
    fixed.into_iter().chain(named).any(|temporary| path.starts_with(temporary))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment {
            variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            working_directory: PathBuf::from("/srv/here"),
        }
    }

    #[test]
    fn what_is_set_is_taken() {
        let here = environment(&[("HOME", "/home/flink")]);
        assert_eq!(choose(Some("data".into()), Some("/x".into()), &here), ("/srv/here/data".into(), None));
        assert_eq!(choose(Some("/tmp/data".into()), None, &here), ("/tmp/data".into(), None));
    }

    #[test]
    fn inside_flinks_temporary_directory_a_warning_is_given() {
        let (chosen, warning) = choose(None, Some("/tmp/flink".into()), &environment(&[]));
        assert_eq!(chosen, PathBuf::from("/tmp/flink/historyserver-data"));
        assert!(warning.is_some_and(|warning| warning.contains("empties that directory when it starts")));
    }

    #[test]
    fn a_default_is_never_below_a_temporary_directory() {
        for (variables, chosen) in [
            (vec![("XDG_STATE_HOME", "/state"), ("HOME", "/home/flink")], "/state/historyserver"),
            (vec![("XDG_STATE_HOME", "/tmp/state"), ("HOME", "/home/flink")], "/home/flink/.local/state/historyserver"),
            (vec![("XDG_STATE_HOME", "relative"), ("HOME", "/tmp")], "/var/lib/historyserver"),
            (vec![("TMPDIR", "/scratch"), ("HOME", "/scratch/me")], "/var/lib/historyserver"),
            (vec![], "/var/lib/historyserver"),
        ] {
            assert_eq!(choose(None, None, &environment(&variables)), (PathBuf::from(chosen), None), "{variables:?}");
        }
    }
}
