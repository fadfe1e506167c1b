//! A simulation of `GetMetricData` of CloudWatch. The emulators have no metrics of the other services; a test sets them.

use std::collections::BTreeMap;

use ciborium::Value as Cbor;
use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::Call;
use crate::strict;
use crate::wire::WireResponse;

/// The data points of each metric, one for each minute before the end of the requested time.
#[derive(Debug, Default)]
pub(crate) struct Metrics(BTreeMap<MetricId, Vec<f64>>);

/// Namespace, name, and name and value of the dimension of a metric.
type MetricId = (String, String, String, String);

impl Metrics {
    /// Replaces the data points of a metric.
    pub fn set(&mut self, [namespace, name, dimension, value]: [&str; 4], points: &[f64]) {
        let id = [namespace, name, dimension, value].map(str::to_owned);
        self.0.insert(id.into(), points.to_vec());
    }

    /// Removes all data points.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Responds to a call as CloudWatch does, with the latest data point first.
    pub fn respond(&self, call: &Call) -> WireResponse {
        let request = strict::input(call);
        let queries = request["MetricDataQueries"].as_array().expect("queries");
        let end = request["EndTime"].as_f64().expect("an end");
        let results = queries.iter().map(|query| self.result(query, end));
        let output = map([("MetricDataResults", Cbor::Array(results.collect()))]);
        let mut body = Vec::new();
        ciborium::into_writer(&output, &mut body).expect("memory can be written");
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/cbor"));
        headers.insert(
            HeaderName::from_static("smithy-protocol"),
            HeaderValue::from_static("rpc-v2-cbor"),
        );
        WireResponse {
            status: 200,
            headers,
            body: body.into(),
        }
    }

    fn result(&self, query: &Value, end: f64) -> Cbor {
        let stat = &query["MetricStat"];
        let metric = &stat["Metric"];
        let dimension = &metric["Dimensions"][0];
        let id = [
            &metric["Namespace"],
            &metric["MetricName"],
            &dimension["Name"],
            &dimension["Value"],
        ];
        let id = id.map(|part| part.as_str().unwrap_or_default().to_owned());
        let points = self.0.get(&id.into()).map_or(&[][..], Vec::as_slice);
        let period = stat["Period"].as_f64().expect("a period");
        // A data point has the time at which its minute starts.
        let times = (1..).map(|number| f64::from(number) * period);
        let times = times.map(|age| Cbor::Tag(1, Box::new(Cbor::Float(end - age))));
        map([
            ("Id", text(&query["Id"])),
            ("Label", text(&metric["MetricName"])),
            ("StatusCode", Cbor::Text("Complete".to_owned())),
            (
                "Timestamps",
                Cbor::Array(times.take(points.len()).collect()),
            ),
            (
                "Values",
                Cbor::Array(points.iter().copied().map(Cbor::Float).collect()),
            ),
        ])
    }
}

fn text(value: &Value) -> Cbor {
    Cbor::Text(value.as_str().unwrap_or_default().to_owned())
}

fn map<const N: usize>(entries: [(&str, Cbor); N]) -> Cbor {
    let entries = entries.map(|(key, value)| (Cbor::Text(key.to_owned()), value));
    Cbor::Map(entries.into())
}
