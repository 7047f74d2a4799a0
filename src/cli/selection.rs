//! What of a database: pg_dump's options.

use std::path::PathBuf;

use crate::error::{Error, ErrorKind, Result};
use crate::plan::filter;
use crate::plan::select::{Content, LargeObjects, List, Sections, Wanted};

/// A part of a dump.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum SectionName {
    PreData,
    Data,
    PostData,
}

/// What of a database.
#[derive(clap::Args, Clone)]
#[command(next_help_heading = "Selection options")]
pub(super) struct SelectionArgs {
    /// Only the schemas that match
    #[arg(short = 'n', long = "schema", value_name = "PATTERN")]
    schemas: Vec<String>,

    /// Leave out the schemas that match
    #[arg(short = 'N', long = "exclude-schema", value_name = "PATTERN")]
    exclude_schemas: Vec<String>,

    /// Only the tables, views and sequences that match
    #[arg(short = 't', long = "table", value_name = "PATTERN")]
    tables: Vec<String>,

    /// The same with partitions and inheriting tables
    #[arg(long = "table-and-children", value_name = "PATTERN")]
    tables_and_children: Vec<String>,

    /// Leave out the tables, views and sequences that match
    #[arg(short = 'T', long = "exclude-table", value_name = "PATTERN")]
    exclude_tables: Vec<String>,

    /// The same with partitions and inheriting tables
    #[arg(long = "exclude-table-and-children", value_name = "PATTERN")]
    exclude_tables_and_children: Vec<String>,

    /// Leave out the rows of the tables that match
    #[arg(long = "exclude-table-data", value_name = "PATTERN")]
    exclude_table_data: Vec<String>,

    /// The same with partitions and inheriting tables
    #[arg(long = "exclude-table-data-and-children", value_name = "PATTERN")]
    exclude_table_data_and_children: Vec<String>,

    /// Only the extensions that match
    #[arg(short = 'e', long = "extension", value_name = "PATTERN")]
    extensions: Vec<String>,

    /// Leave out the extensions that match
    #[arg(long = "exclude-extension", value_name = "PATTERN")]
    exclude_extensions: Vec<String>,

    /// With the rows of foreign tables on the servers that match
    #[arg(long = "include-foreign-data", value_name = "PATTERN", conflicts_with = "schema_only")]
    include_foreign_data: Vec<String>,

    /// Read patterns from FILE, written as for pg_dump; - is standard input
    #[arg(long = "filter", value_name = "FILE")]
    filters: Vec<PathBuf>,

    /// Fail when a pattern matches nothing
    #[arg(long)]
    pub(super) strict_names: bool,

    /// Rows only
    #[arg(short = 'a', long, conflicts_with_all = ["schema_only", "clean"])]
    data_only: bool,

    /// Definitions only
    #[arg(short = 's', long)]
    schema_only: bool,

    /// Without rows
    #[arg(long, conflicts_with = "data_only")]
    no_data: bool,

    /// Without definitions
    #[arg(long, conflicts_with = "schema_only")]
    no_schema: bool,

    /// With the planner's statistics
    #[arg(long, conflicts_with_all = ["data_only", "schema_only", "no_statistics"])]
    statistics: bool,

    /// Only the planner's statistics
    #[arg(long, conflicts_with_all = ["data_only", "schema_only", "no_statistics"])]
    statistics_only: bool,

    /// Without the planner's statistics, which is the default
    #[arg(long)]
    no_statistics: bool,

    /// Only these sections: pre-data, data, post-data
    #[arg(long, value_name = "SECTION", conflicts_with_all = ["data_only", "schema_only"])]
    section: Vec<SectionName>,

    /// With large objects, also where only a part is dumped
    #[arg(short = 'b', long, visible_alias = "blobs")]
    large_objects: bool,

    /// Without large objects, unless -b says otherwise
    #[arg(short = 'B', long, visible_alias = "no-blobs")]
    no_large_objects: bool,

    /// With the positions of sequences, also where only definitions are dumped
    #[arg(long)]
    sequence_data: bool,

    /// Without the rows of unlogged tables
    #[arg(long)]
    no_unlogged_table_data: bool,

    /// Without row-level security policies
    #[arg(long)]
    no_policies: bool,

    /// Without publications
    #[arg(long)]
    no_publications: bool,

    /// Without subscriptions
    #[arg(long)]
    no_subscriptions: bool,
}

impl SelectionArgs {
    /// What is wanted without naming objects.
    pub(super) fn content(&self) -> Content {
        let has = |name| self.section.is_empty() || self.section.contains(&name);
        Content {
            definitions: !(self.data_only || self.no_schema || self.statistics_only),
            data: !(self.schema_only || self.no_data || self.statistics_only),
            sequence_data: self.sequence_data,
            statistics: self.statistics || self.statistics_only,
            sections: Sections {
                pre_data: has(SectionName::PreData),
                data: has(SectionName::Data),
                post_data: has(SectionName::PostData),
            },
            large_objects: match (self.large_objects, self.no_large_objects) {
                (true, _) => LargeObjects::Always,
                (false, true) => LargeObjects::Never,
                (false, false) => LargeObjects::WithEverything,
            },
            unlogged_data: !self.no_unlogged_table_data,
            policies: !self.no_policies,
            publications: !self.no_publications,
            subscriptions: !self.no_subscriptions,
        }
    }

    /// Every pattern: those that were typed, then those of the filter files.
    pub(super) fn patterns(&self) -> Result<Vec<Wanted>> {
        let typed = [
            (List::IncludeSchema, false, &self.schemas),
            (List::ExcludeSchema, false, &self.exclude_schemas),
            (List::IncludeTable, false, &self.tables),
            (List::IncludeTable, true, &self.tables_and_children),
            (List::ExcludeTable, false, &self.exclude_tables),
            (List::ExcludeTable, true, &self.exclude_tables_and_children),
            (List::ExcludeTableData, false, &self.exclude_table_data),
            (List::ExcludeTableData, true, &self.exclude_table_data_and_children),
            (List::IncludeExtension, false, &self.extensions),
            (List::ExcludeExtension, false, &self.exclude_extensions),
            (List::IncludeForeignData, false, &self.include_foreign_data),
        ];
        let mut wanted: Vec<Wanted> = typed
            .into_iter()
            .flat_map(|(list, with_children, patterns)| {
                patterns.iter().map(move |pattern| Wanted { list, pattern: pattern.clone(), with_children })
            })
            .collect();
        for file in &self.filters {
            let name = file.display().to_string();
            let text =
                if name == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
            let text = text.map_err(|error| {
                Error::new(ErrorKind::Usage, format!("could not read filter file \"{name}\"")).caused_by(error)
            })?;
            wanted.extend(filter::parse(&text, &name)?);
        }
        Ok(wanted)
    }
}
