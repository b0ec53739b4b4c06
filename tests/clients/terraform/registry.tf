# What a registry keeps: its account settings, its policy, where it replicates to.

data "aws_caller_identity" "this" {}

data "aws_region" "this" {}

resource "aws_ecr_account_setting" "scan" {
  name  = "BASIC_SCAN_TYPE_VERSION"
  value = var.changed ? "AWS_NATIVE" : "CLAIR"
}

resource "aws_ecr_account_setting" "scope" {
  name  = "REGISTRY_POLICY_SCOPE"
  value = var.changed ? "V2" : "V1"
}

data "aws_iam_policy_document" "registry" {
  statement {
    sid       = "Replication"
    actions   = var.changed ? ["ecr:ReplicateImage", "ecr:PutImage"] : ["ecr:ReplicateImage"]
    resources = ["arn:aws:ecr:${data.aws_region.this.name}:${data.aws_caller_identity.this.account_id}:repository/*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::210987654321:root"]
    }
  }
}

resource "aws_ecr_registry_policy" "this" {
  policy     = data.aws_iam_policy_document.registry.json
  depends_on = [aws_ecr_account_setting.scope]
}

resource "aws_ecr_replication_configuration" "this" {
  replication_configuration {
    rule {
      destination {
        region      = "eu-west-1"
        registry_id = data.aws_caller_identity.this.account_id
      }
      dynamic "destination" {
        for_each = var.changed ? ["ap-south-1"] : []
        content {
          region      = destination.value
          registry_id = "210987654321"
        }
      }
      repository_filter {
        filter      = var.changed ? "live/" : "prod/"
        filter_type = "PREFIX_MATCH"
      }
    }
    dynamic "rule" {
      for_each = var.changed ? [] : ["eu-west-3"]
      content {
        destination {
          region      = rule.value
          registry_id = data.aws_caller_identity.this.account_id
        }
      }
    }
  }
}
