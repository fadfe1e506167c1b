//! The resource policy of a Lambda function. Lambda changes it one statement at a time.

use serde_json::Value;

use crate::aws::Aws;
use crate::aws::error::AwsResultExt;
use crate::aws::not_found;
use crate::error::Result;
use crate::iam;

/// The `Sid` of the deployment's statement, which allows CloudWatch Logs to invoke the function.
pub(crate) const LOGS_SID: &str = "InvokePermissionsForCW";

/// A document with only this statement, in canonical form.
pub(crate) fn canonical_statement(statement: &Value) -> Value {
    iam::canonical(&iam::document(vec![statement.clone()]))
}

/// A string, or the first of a list.
fn single_text(value: &Value) -> Option<String> {
    let value = value.get(0).unwrap_or(value);
    value.as_str().map(str::to_owned)
}

/// The principal of a statement: a service, an account or `*`.
fn single_principal(value: &Value) -> Option<String> {
    let kinds = value.as_object().and_then(|kinds| kinds.values().next());
    single_text(kinds.unwrap_or(value))
}

/// The value of a condition key under any operator. AWS ignores the case of the key.
pub(crate) fn condition_value(statement: &Value, key: &str) -> Option<String> {
    let operators = statement["Condition"].as_object()?.values();
    let mut keys = operators.filter_map(Value::as_object).flatten();
    let (_, value) = keys.find(|(name, _)| name.eq_ignore_ascii_case(key))?;
    single_text(value)
}

/// Adds a statement under this ID. Lambda takes its fields, not its JSON.
pub(crate) async fn add_statement(
    aws: &Aws,
    function: &str,
    sid: &str,
    statement: &Value,
) -> Result<()> {
    aws.lambda
        .add_permission()
        .function_name(function)
        .statement_id(sid)
        .set_action(single_text(&statement["Action"]))
        .set_principal(single_principal(&statement["Principal"]))
        .set_source_arn(condition_value(statement, "aws:SourceArn"))
        .set_source_account(condition_value(statement, "aws:SourceAccount"))
        .set_principal_org_id(condition_value(statement, "aws:PrincipalOrgID"))
        .send()
        .await
        .context_for("lambda:AddPermission", || {
            format!("add a permission to lambda function {function}")
        })?;
    Ok(())
}

/// Removes the statement with this ID, if there is one.
pub(crate) async fn remove_statement(aws: &Aws, function: &str, sid: &str) -> Result<()> {
    aws.lambda
        .remove_permission()
        .function_name(function)
        .statement_id(sid)
        .send()
        .await
        .optional_for("lambda:RemovePermission", not_found::FUNCTION, || {
            format!("remove {sid} from the policy of lambda function {function}")
        })?;
    Ok(())
}

/// Reads the policy as text. Returns `None` if there is no function or no statement.
pub(super) async fn read(
    aws: &Aws,
    function: &str,
    operation: impl FnOnce() -> String,
) -> Result<Option<String>> {
    let found = aws.lambda.get_policy().function_name(function).send().await;
    let found = found.optional_for("lambda:GetPolicy", not_found::FUNCTION, operation)?;
    Ok(found.and_then(|found| found.policy))
}

/// Reads the statements; none if there is no function.
pub(crate) async fn read_statements(aws: &Aws, function: &str) -> Result<Vec<Value>> {
    let operation = || format!("read the policy of lambda function {function}");
    let text = read(aws, function, operation).await?.unwrap_or_default();
    Ok(iam::statements_of(&iam::parse_document(&text)))
}

/// The source ARN of each statement that allows `service` to invoke the function; `None` for any source.
pub(crate) async fn allowed_sources(
    aws: &Aws,
    function: &str,
    service: &str,
) -> Result<Vec<Option<String>>> {
    let statements = read_statements(aws, function).await?;
    let of_service = statements
        .iter()
        .filter(|statement| single_principal(&statement["Principal"]).as_deref() == Some(service));
    Ok(of_service
        .map(|statement| condition_value(statement, "aws:SourceArn"))
        .collect())
}

/// The ID of a statement.
pub(crate) fn sid(statement: &Value) -> &str {
    statement["Sid"].as_str().unwrap_or_default()
}

/// Replaces the statements of a function's policy with those of a document. Statements that are in both stay unchanged.
pub(crate) async fn replace_statements(aws: &Aws, function: &str, document: &Value) -> Result<()> {
    let (has, wants) = (
        read_statements(aws, function).await?,
        iam::statements_of(document),
    );
    let is_same =
        |left: &Value, right: &Value| canonical_statement(left) == canonical_statement(right);
    for statement in has
        .iter()
        .filter(|one| !wants.iter().any(|other| is_same(one, other)))
    {
        remove_statement(aws, function, sid(statement)).await?;
    }
    for statement in wants
        .iter()
        .filter(|one| !has.iter().any(|other| is_same(one, other)))
    {
        add_statement(aws, function, sid(statement), statement).await?;
    }
    Ok(())
}
