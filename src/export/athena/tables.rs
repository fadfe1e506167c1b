//! The tables over the log files and the digest files. Their partitions are projected, so none has to be added.
//!
//! Sources: "Querying `CloudTrail` logs" and "Partition projection" in the Athena User Guide; the fields are those of
//! "`CloudTrail` record contents" and "`CloudTrail` digest file structure".

use super::AthenaTrail;
use super::sql::literal;

/// The fields of a record.
const RECORD_FIELDS: &[(&str, &str)] = &[
    ("eventversion", "STRING"),
    (
        "useridentity",
        "STRUCT<type: STRING, principalid: STRING, arn: STRING, accountid: STRING, invokedby: STRING, accesskeyid: STRING, \
         username: STRING, onbehalfof: STRUCT<userid: STRING, identitystorearn: STRING>, \
         sessioncontext: STRUCT<attributes: STRUCT<mfaauthenticated: STRING, creationdate: STRING>, \
         sessionissuer: STRUCT<type: STRING, principalid: STRING, arn: STRING, accountid: STRING, username: STRING>, \
         ec2roledelivery: STRING, webidfederationdata: STRUCT<federatedprovider: STRING, attributes: MAP<STRING, STRING>>>>",
    ),
    ("eventtime", "STRING"),
    ("eventsource", "STRING"),
    ("eventname", "STRING"),
    ("awsregion", "STRING"),
    ("sourceipaddress", "STRING"),
    ("useragent", "STRING"),
    ("errorcode", "STRING"),
    ("errormessage", "STRING"),
    ("requestparameters", "STRING"),
    ("responseelements", "STRING"),
    ("additionaleventdata", "STRING"),
    ("requestid", "STRING"),
    ("eventid", "STRING"),
    ("readonly", "STRING"),
    (
        "resources",
        "ARRAY<STRUCT<arn: STRING, accountid: STRING, type: STRING>>",
    ),
    ("eventtype", "STRING"),
    ("apiversion", "STRING"),
    ("managementevent", "STRING"),
    ("recipientaccountid", "STRING"),
    ("serviceeventdetails", "STRING"),
    ("sharedeventid", "STRING"),
    ("vpcendpointid", "STRING"),
    ("eventcategory", "STRING"),
    (
        "tlsdetails",
        "STRUCT<tlsversion: STRING, ciphersuite: STRING, clientprovidedhostheader: STRING>",
    ),
];

/// The fields of a digest that show what it covers.
const DIGEST_FIELDS: &[(&str, &str)] = &[
    ("awsaccountid", "STRING"),
    ("digeststarttime", "STRING"),
    ("digestendtime", "STRING"),
    ("digests3object", "STRING"),
    ("newesteventtime", "STRING"),
    ("oldesteventtime", "STRING"),
    (
        "logfiles",
        "ARRAY<STRUCT<s3bucket: STRING, s3object: STRING, newesteventtime: STRING, oldesteventtime: STRING>>",
    ),
];

const JSON_SERDE: &str = "org.apache.hive.hcatalog.data.JsonSerDe";
const OUTPUT_FORMAT: &str = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat";

pub(super) fn log_table(trail: &AthenaTrail, name: &str) -> String {
    let input = "com.amazon.emr.cloudtrail.CloudTrailInputFormat";
    table(trail, name, RECORD_FIELDS, "CloudTrail", input)
}

pub(super) fn digest_table(trail: &AthenaTrail, name: &str) -> String {
    let input = "org.apache.hadoop.mapred.TextInputFormat";
    table(trail, name, DIGEST_FIELDS, "CloudTrail-Digest", input)
}

fn table(
    trail: &AthenaTrail,
    name: &str,
    fields: &[(&str, &str)],
    folder: &str,
    input_format: &str,
) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|(field, kind)| format!("  {field} {kind}"))
        .collect();
    let location = format!("s3://{}/{}", trail.bucket, trail.log_prefix);
    let template = format!("{location}${{account}}/{folder}/${{region}}/${{day}}");
    let properties: Vec<String> = [
        ("projection.enabled", "true".to_owned()),
        ("projection.account.type", "enum".to_owned()),
        ("projection.account.values", trail.accounts.join(",")),
        ("projection.region.type", "enum".to_owned()),
        ("projection.region.values", trail.regions.join(",")),
        ("projection.day.type", "date".to_owned()),
        ("projection.day.format", "yyyy/MM/dd".to_owned()),
        ("projection.day.range", "NOW-3YEARS,NOW".to_owned()),
        ("projection.day.interval", "1".to_owned()),
        ("projection.day.interval.unit", "DAYS".to_owned()),
        ("storage.location.template", template),
    ]
    .iter()
    .map(|(property, value)| format!("  {} = {}", literal(property), literal(value)))
    .collect();
    format!(
        "CREATE EXTERNAL TABLE {name} (\n{}\n)\n\
         PARTITIONED BY (account STRING, region STRING, day STRING)\n\
         ROW FORMAT SERDE {}\n\
         STORED AS INPUTFORMAT {}\n\
         OUTPUTFORMAT {}\n\
         LOCATION {}\n\
         TBLPROPERTIES (\n{}\n)",
        fields.join(",\n"),
        literal(JSON_SERDE),
        literal(input_format),
        literal(OUTPUT_FORMAT),
        literal(&location),
        properties.join(",\n"),
    )
}
