//! The monthly cost of option s3: one message per log file and digest file.

use crate::cost::{
    CostEstimate, CostItem, MonthlyUsage, PriceId, UsageFigure, data_key_requests, key_month,
    queue_assumptions, queue_requests,
};

/// Returns the quantities of a month, or the figures that are not known.
pub(super) fn monthly_cost(usage: &MonthlyUsage) -> Result<CostEstimate, Vec<UsageFigure>> {
    let [files] = usage.require([UsageFigure::LogFiles])?;
    let messages = files + usage.digest_files.unwrap_or_default();
    let purpose = if usage.digest_files.is_some() {
        "messages, one per log or digest file"
    } else {
        "messages, one per log file"
    };
    let mut items = vec![CostItem::new("SNS", purpose, messages, PriceId::SnsPublish)];
    items.extend(queue_requests(messages, PriceId::SqsStandardRequest));
    items.push(CostItem::new(
        "S3",
        "requests to read log files",
        files,
        PriceId::S3Get,
    ));
    if usage.has_encrypted_log_files {
        items.push(CostItem::new(
            "KMS",
            "requests to decrypt log files",
            files,
            PriceId::KmsRequest,
        ));
    }
    items.extend([key_month(), data_key_requests()]);
    let mut assumptions = queue_assumptions();
    if usage.digest_files.is_some() {
        assumptions.push(
            "Each region of an account that has log files has a digest file every hour. The notification announces it, and Heeler \
             does not read it."
                .to_owned(),
        );
    }
    if usage.has_encrypted_log_files {
        assumptions
            .push("Each log file takes one KMS request. S3 Bucket Keys make it fewer.".to_owned());
    }
    Ok(CostEstimate { items, assumptions })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::{DAYS_PER_MONTH, GivenUsage, Measurements, OptionCost, PriceTable};

    fn usage(files_per_month: f64, has_encrypted_log_files: bool) -> MonthlyUsage {
        let given = GivenUsage {
            log_files_per_day: Some(files_per_month / DAYS_PER_MONTH),
            ..GivenUsage::default()
        };
        let measured = Measurements {
            has_encrypted_log_files: Some(has_encrypted_log_files),
            ..Measurements::default()
        };
        MonthlyUsage::new(given, &measured)
    }

    fn total(usage: &MonthlyUsage) -> f64 {
        let cost = OptionCost {
            option: "s3",
            estimate: monthly_cost(usage),
            delivers_large_events: true,
        };
        cost.total(&PriceTable::built_in().unwrap()).unwrap()
    }

    /// 200 accounts with 3 million log files a month: 1.50 for SNS, 3.60 for SQS and 0.105 for polling, 1.20 for S3, 1 for the
    /// key, and 0.0789 for 26,298 requests for data keys.
    #[test]
    fn example_of_200_accounts_costs_seven_dollars() {
        let found = total(&usage(3e6, false));
        assert!((found - 7.4841).abs() < 0.001, "{found}");
        // Digest files are announced too: 1 million for 0.50 and 1.20.
        let mut with_digests = usage(3e6, false);
        with_digests.digest_files = Some(1e6);
        let digests = total(&with_digests);
        assert!((digests - found - 1.7).abs() < 0.001, "{digests}");
        // Encrypted log files take a request of KMS each: 3 million for 0.03 per 10,000.
        let encrypted = total(&usage(3e6, true));
        assert!((encrypted - found - 9.0).abs() < 0.001, "{encrypted}");
    }

    #[test]
    fn cost_grows_with_the_number_of_files() {
        let base = total(&usage(0.0, false));
        assert!((base - 1.1841).abs() < 0.001, "{base}");
        let per_million = total(&usage(1e6, false)) - base;
        for millions in [2.0, 10.0, 1_000.0] {
            let found = total(&usage(millions * 1e6, false)) - base;
            assert!((found / per_million - millions).abs() < 1e-6, "{found}");
        }
    }

    #[test]
    fn missing_files_are_named() {
        let usage = MonthlyUsage::default();
        assert_eq!(monthly_cost(&usage), Err(vec![UsageFigure::LogFiles]));
    }
}
