//! Decides which calls of setup to simulate.

use super::OptionProfile;
use crate::inventory::Snapshot;
use crate::inventory::caller_permissions::{ContextKey, SimulationQuery};
use crate::permissions::account_part::AccountPart;
use crate::permissions::scope::PolicyScope;
use crate::permissions::statement::{Statement, StatementCondition};
use crate::permissions::{CommandName, PermittedCommand, statements};

/// Returns the calls of setup, or `None` if their region is unknown.
pub(super) fn setup_queries(
    snapshot: &Snapshot,
    option: &OptionProfile,
) -> Option<Vec<SimulationQuery>> {
    snapshot.region()?;
    let mut scope = PolicyScope::unknown(snapshot.request.names.clone());
    if let Ok(caller) = &snapshot.account.caller {
        scope.set_caller(caller);
    }
    option.permissions.set_found_names(snapshot, &mut scope);
    let management = snapshot.account.management.as_ref();
    let setup = PermittedCommand {
        account_part: management.map(|_| AccountPart::Bucket),
        ..PermittedCommand::new(CommandName::Setup, vec![option.permissions])
    };
    let queries = statements(&setup, &scope)
        .into_iter()
        // Resources with placeholders cannot be simulated.
        .filter(|statement| !statement.resources.iter().any(|arn| arn.contains("${")))
        .map(query)
        .collect();
    Some(queries)
}

fn query(statement: Statement) -> SimulationQuery {
    SimulationQuery {
        context: statement
            .conditions
            .iter()
            .filter_map(context_key)
            .collect(),
        actions: statement.actions,
        resources: statement.resources,
    }
}

/// Returns the context that satisfies a condition. A value shows that a key is present, so `Null` needs none of its own.
fn context_key(condition: &StatementCondition) -> Option<ContextKey> {
    (condition.operator != "Null").then(|| ContextKey {
        name: condition.key,
        values: condition.values.clone(),
        is_list: condition.operator.starts_with("For"),
    })
}
