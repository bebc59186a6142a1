"""Makes the SES resources of infra's template by SES's own API: rule set, rule, configuration set."""

from typing import Any

from local.cloudformation import Node, Template


def create(template: Template, client: Any) -> None:
    """`client(service)` is boto3's. The rule set is made the active one, as a deployer does by hand."""
    for rule_set in template.resources("AWS::SES::ReceiptRuleSet").values():
        client("ses").create_receipt_rule_set(RuleSetName=rule_set["RuleSetName"])
    for rule in template.resources("AWS::SES::ReceiptRule").values():
        client("ses").create_receipt_rule(RuleSetName=rule["RuleSetName"], Rule=rule["Rule"])
        client("ses").set_active_receipt_rule_set(RuleSetName=rule["RuleSetName"])
    for config in template.resources("AWS::SES::ConfigurationSet").values():
        client("sesv2").create_configuration_set(
            ConfigurationSetName=config["Name"], DeliveryOptions=config.get("DeliveryOptions", {})
        )
    for destination in template.resources("AWS::SES::ConfigurationSetEventDestination").values():
        _destination(client("sesv2"), destination)


def _destination(sesv2: Any, properties: Node) -> None:
    given = properties["EventDestination"]
    sesv2.create_configuration_set_event_destination(
        ConfigurationSetName=properties["ConfigurationSetName"],
        EventDestinationName=given["Name"],
        EventDestination={
            "Enabled": given["Enabled"],
            "MatchingEventTypes": given["MatchingEventTypes"],
            "SnsDestination": {"TopicArn": given["SnsDestination"]["TopicARN"]},
        },
    )
