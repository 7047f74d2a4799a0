//! The queries about what is neither a relation nor hangs on one: types, functions, operators and the like.

use super::query::{Query, catalog_sql};
use super::step::{Scope, Step, add_each};
use crate::object::{
    access_method::AccessMethod, aggregate, base_type, cast::Cast, class, collation::Collation, composite,
    contradiction, conversion::Conversion, data_type::DataType, domain, enumeration,
    foreign_data_wrapper::ForeignDataWrapper, foreign_server, function, language::Language, operator::Operator,
    operator_class, operator_family::OperatorFamily, range, text_search_configuration,
    text_search_dictionary::TextSearchDictionary, text_search_parser::TextSearchParser,
    text_search_template::TextSearchTemplate, transform::Transform, unsupported,
};

/// A list whose rows are an object each.
macro_rules! objects {
    ($stem:literal, $decode:expr) => {
        objects!($stem, $decode, [(13, catalog_sql!($stem))])
    };
    ($stem:literal, $decode:expr, [$($variant:expr),+]) => {
        Step {
            query: Query::new($stem, &[$($variant),+]),
            scope: Scope::Whole,
            take: |rows, inventory| add_each(rows, inventory, $decode),
        }
    };
}

/// What is read before anything is selected. A type stands before what is named by it.
pub(super) const LISTS: &[Step] = &[
    Step {
        query: Query::new("data_type", &[(13, catalog_sql!("data_type"))]),
        scope: Scope::Large,
        take: |rows, inventory| add_each(rows, inventory, DataType::decode),
    },
    objects!("function", function::Function::decode),
    objects!("aggregate", aggregate::Aggregate::decode),
    objects!("language", Language::decode),
    objects!("cast", Cast::decode, [(13, catalog_sql!("cast")), (14, catalog_sql!("cast.pg14"))]),
    objects!("transform", Transform::decode),
    objects!("operator", Operator::decode),
    objects!("operator_class", operator_class::OperatorClass::decode),
    objects!("operator_family", OperatorFamily::decode),
    Step {
        query: Query::new("operator_member", &[(13, catalog_sql!("operator_member"))]),
        scope: Scope::Whole,
        take: operator_class::take_members,
    },
    objects!("access_method", AccessMethod::decode),
    objects!(
        "collation",
        Collation::decode,
        [
            (13, catalog_sql!("collation")),
            (15, catalog_sql!("collation.pg15")),
            (16, catalog_sql!("collation.pg16")),
            (17, catalog_sql!("collation.pg17"))
        ]
    ),
    objects!("conversion", Conversion::decode),
    objects!("text_search_parser", TextSearchParser::decode),
    objects!("text_search_template", TextSearchTemplate::decode),
    objects!("text_search_dictionary", TextSearchDictionary::decode),
    objects!("text_search_configuration", text_search_configuration::TextSearchConfiguration::decode),
    objects!("foreign_data_wrapper", ForeignDataWrapper::decode),
    objects!("foreign_server", foreign_server::ForeignServer::decode),
    Step {
        query: Query::new("user_mapping", &[(13, catalog_sql!("user_mapping"))]),
        scope: Scope::Whole,
        take: foreign_server::take_user_mappings,
    },
    Step {
        query: Query::new("contradiction", &[(13, catalog_sql!("contradiction"))]),
        scope: Scope::Whole,
        take: contradiction::take,
    },
    Step {
        query: Query::new("contradiction_relation", &[(13, catalog_sql!("contradiction_relation"))]),
        scope: Scope::Large,
        take: contradiction::take,
    },
    Step {
        query: Query::new("contradiction_check", &[(13, catalog_sql!("contradiction_check"))]),
        scope: Scope::WholeIf(|facts| facts.version.major() == 13),
        take: contradiction::take,
    },
    Step {
        query: Query::new("contradiction_multirange", &[(14, catalog_sql!("contradiction_multirange.pg14"))]),
        scope: Scope::Whole,
        take: contradiction::take,
    },
    Step {
        query: Query::new(
            "contradiction_publication_schema",
            &[(15, catalog_sql!("contradiction_publication_schema.pg15"))],
        ),
        scope: Scope::Whole,
        take: contradiction::take,
    },
    Step {
        query: Query::new("contradiction_user_mapping", &[(13, catalog_sql!("contradiction_user_mapping"))]),
        scope: Scope::WholeIf(|facts| facts.reads_user_mappings),
        take: contradiction::take,
    },
    Step {
        query: Query::new("contradiction_large_object", &[(13, catalog_sql!("contradiction_large_object"))]),
        scope: Scope::WholeIf(|facts| facts.reads_large_objects),
        take: contradiction::take,
    },
    Step {
        query: Query::new("contradiction_subscription", &[(13, catalog_sql!("contradiction_subscription"))]),
        scope: Scope::WholeIf(|facts| facts.reads_subscriptions),
        take: contradiction::take,
    },
    Step {
        query: Query::new("unsupported", &[(13, catalog_sql!("unsupported"))]),
        scope: Scope::Large,
        take: unsupported::take,
    },
];

/// What is read of the selected objects.
pub(super) const DETAILS: &[Step] = &[
    Step {
        query: Query::new("base_type", &[(13, catalog_sql!("base_type")), (14, catalog_sql!("base_type.pg14"))]),
        scope: Scope::Selected(class::PG_TYPE),
        take: base_type::take_base_types,
    },
    Step {
        query: Query::new("composite", &[(13, catalog_sql!("composite"))]),
        scope: Scope::Selected(class::PG_TYPE),
        take: composite::take_attributes,
    },
    Step {
        query: Query::new("domain", &[(13, catalog_sql!("domain"))]),
        scope: Scope::Selected(class::PG_TYPE),
        take: domain::take_domains,
    },
    Step {
        query: Query::new("domain_constraint", &[(13, catalog_sql!("domain_constraint"))]),
        scope: Scope::Selected(class::PG_TYPE),
        take: domain::take_constraints,
    },
    Step {
        query: Query::new("enumeration", &[(13, catalog_sql!("enumeration"))]),
        scope: Scope::Selected(class::PG_TYPE),
        take: enumeration::take_labels,
    },
    Step {
        query: Query::new("range", &[(13, catalog_sql!("range")), (14, catalog_sql!("range.pg14"))]),
        scope: Scope::Selected(class::PG_TYPE),
        take: range::take_ranges,
    },
    Step {
        query: Query::new(
            "function_definition",
            &[(13, catalog_sql!("function_definition")), (14, catalog_sql!("function_definition.pg14"))],
        ),
        scope: Scope::Selected(class::PG_PROC),
        take: function::take_definitions,
    },
    Step {
        query: Query::new("aggregate_definition", &[(13, catalog_sql!("aggregate_definition"))]),
        scope: Scope::Selected(class::PG_PROC),
        take: aggregate::take_definitions,
    },
    Step {
        query: Query::new("text_search_mapping", &[(13, catalog_sql!("text_search_mapping"))]),
        scope: Scope::Selected(class::PG_TS_CONFIG),
        take: text_search_configuration::take_mappings,
    },
];
