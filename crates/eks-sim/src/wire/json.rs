//! SSM, Service Quotas and KMS: JSON 1.1.

use eks_provider::aws::KeyState;
use serde_json::{Value, json};

use super::{Answer, Request, Response, Wire, errors};
use crate::wire::eks_json::seconds;

pub(super) async fn answer(wire: &Wire, request: &Request, id: &str) -> Answer {
    let target = request.header("x-amz-target");
    let operation = target.rsplit('.').next().unwrap_or_default();
    let body: Value = match serde_json::from_slice(&request.body) {
        Ok(body) => body,
        Err(error) => {
            return Answer::Response(errors::json(400, "SerializationException", &error.to_string(), id));
        }
    };
    if let Some(place) = wrong(&body) {
        let message = format!("{place} is of another kind than the operation takes");
        return Answer::Response(errors::json(400, "SerializationException", &message, id));
    }
    if operation == "GetParameters" {
        let count = body.get("Names").and_then(Value::as_array).map_or(0, Vec::len);
        // <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html> (2026-11)
        if !(1..=10).contains(&count) {
            let message = format!("Names has {count} members, and must have 1 to 10");
            return Answer::Response(errors::json(400, "ValidationException", &message, id));
        }
    }
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let parameter = |parameter: &eks_provider::aws::Parameter| {
        json!({
            "Name": parameter.name, "Type": "String", "Value": parameter.value, "Version": parameter.version,
            "LastModifiedDate": seconds(parameter.last_modified),
        })
    };
    let answer = match operation {
        "GetParameter" => wire
            .reader
            .get_parameter(text("Name"))
            .await
            .map(|found| json!({ "Parameter": parameter(&found) })),
        "GetParameters" => {
            let names: Vec<String> = body
                .get("Names")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect();
            wire.reader.get_parameters(&names).await.map(|found| {
                let missing: Vec<&String> = names.iter().filter(|name| !found.contains_key(*name)).collect();
                json!({ "Parameters": found.values().map(parameter).collect::<Vec<_>>(), "InvalidParameters": missing })
            })
        }
        "GetServiceQuota" | "GetAWSDefaultServiceQuota" => {
            wire.reader.get_service_quota(text("ServiceCode"), text("QuotaCode")).await.map(|quota| {
                json!({ "Quota": {
                    "ServiceCode": quota.service_code, "QuotaCode": quota.quota_code, "QuotaName": quota.name,
                    "Value": quota.value, "Unit": quota.unit, "Adjustable": quota.adjustable,
                } })
            })
        }
        "DescribeKey" => wire.reader.describe_key(text("KeyId")).await.map(|state| {
            json!({ "KeyMetadata": {
                "KeyId": text("KeyId").rsplit('/').next(), "Arn": text("KeyId"), "KeyState": state.as_str(),
                "Enabled": state == KeyState::Enabled,
            } })
        }),
        other => {
            let message = format!("the simulated world does not have {other}");
            return Answer::Response(errors::json(400, "UnknownOperationException", &message, id));
        }
    };
    match answer {
        Ok(body) => Answer::Response(Response {
            status: 200,
            content_type: "application/x-amz-json-1.1",
            headers: vec![("x-amzn-requestid", id.to_owned())],
            body: body.to_string().into_bytes(),
        }),
        Err(error) => errors::json11(&error, id),
    }
}

/// What in a body is not of the kind that these operations take: texts, flags, and lists of texts.
fn wrong(body: &Value) -> Option<String> {
    let Some(entries) = body.as_object() else { return Some("the body".to_owned()) };
    let fits = |name: &str, value: &Value| match name {
        "Names" => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
        "WithDecryption" => value.is_boolean(),
        _ => value.is_string(),
    };
    entries.iter().find(|(name, value)| !fits(name, value)).map(|(name, _)| name.clone())
}
