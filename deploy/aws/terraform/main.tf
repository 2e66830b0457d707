# The same stack by Terraform: it deploys ../raymap.yaml, so that there is one definition of what is made.
#
#   module "raymap" {
#     source = "./deploy/aws/terraform"
#     url    = "https://raymap.example.com"
#     key    = var.raymap_key
#   }
#
# One module for each account and region, with the provider of that region. The key is in Terraform's state.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "url" {
  description = "Public address of Raymap: https:// and a host name."
  type        = string
}

variable "key" {
  description = "Token of an ingest key."
  type        = string
  sensitive   = true
}

variable "name" {
  description = "Name of the stack."
  type        = string
  default     = "raymap"
}

variable "parameters" {
  description = "Other parameters of the template, such as { Spans = \"already-on\", Metrics = \"off\" }."
  type        = map(string)
  default     = {}
}

resource "aws_cloudformation_stack" "raymap" {
  name          = var.name
  template_body = file("${path.module}/../raymap.yaml")
  capabilities  = ["CAPABILITY_IAM"]
  parameters    = merge(var.parameters, { RaymapUrl = var.url, RaymapKey = var.key })
}

output "delivery_stream_arn" {
  description = "Destination for subscription filters of your own."
  value       = aws_cloudformation_stack.raymap.outputs["DeliveryStreamArn"]
}

output "subscription_role_arn" {
  description = "Role for subscription filters of your own."
  value       = aws_cloudformation_stack.raymap.outputs["SubscriptionRoleArn"]
}

output "failed_bucket_name" {
  description = "What could not be delivered. It outlives the stack."
  value       = aws_cloudformation_stack.raymap.outputs["FailedBucketName"]
}
