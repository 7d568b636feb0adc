//! Integration tests: one binary, one module per area.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on shall fail where it stands, helpers included")]
#![allow(clippy::disallowed_methods, reason = "tests have no span to carry into tasks, and no clock to inject")]

mod architecture;
mod archive_directory;
mod benchmarks;
mod client_commands;
mod cluster_names;
mod command_line;
mod configuration_documents;
mod damaged_index;
mod data_directory;
mod directory_contract;
mod documented_commands;
mod documents;
mod duplicates;
mod examples;
mod faulty_store;
mod file_events;
mod flat_jobs;
mod flink_cases;
mod flink_clients;
mod flink_retention;
mod flink_side_by_side;
mod flink_versions;
mod fuzz_envelope;
mod generated_archives;
#[path = "../support/generator.rs"]
mod generator;
mod hostile;
mod http_connections;
mod http_contract;
mod http_documents;
mod http_errors;
mod http_lists;
mod http_memory;
mod http_names;
mod http_openapi;
mod http_operations;
mod http_page;
mod http_query;
mod http_schemathesis;
mod http_state;
mod index_contract;
mod lists_first;
mod local_directory;
mod logging;
mod metrics;
mod mistaken_directories;
mod moto;
mod older_indexes;
mod on_demand;
mod publishing;
mod readiness;
mod refresh;
mod retention;
mod running;
mod s3_double;
mod service_manager;
mod store_answers;
mod store_directory;
mod support;
#[path = "../support/template.rs"]
mod template;
mod tls;
mod unreadable_archives;
mod versions;
