# What a registry does by itself: scan images, cache those of upstream registries, create repositories by templates.

data "aws_caller_identity" "me" {}

data "aws_region" "here" {}

locals {
  account = data.aws_caller_identity.me.account_id
  secret  = "arn:aws:secretsmanager:${data.aws_region.here.name}:${local.account}:secret:ecr-pullthroughcache"
  role    = "arn:aws:iam::${local.account}:role"
}

resource "aws_ecr_registry_scanning_configuration" "this" {
  scan_type = var.changed ? "ENHANCED" : "BASIC"

  rule {
    scan_frequency = "SCAN_ON_PUSH"

    repository_filter {
      filter      = var.changed ? "*" : "prod"
      filter_type = "WILDCARD"
    }
  }

  dynamic "rule" {
    for_each = var.changed ? ["prod*"] : []

    content {
      scan_frequency = "CONTINUOUS_SCAN"

      repository_filter {
        filter      = rule.value
        filter_type = "WILDCARD"
      }
    }
  }
}

resource "aws_ecr_pull_through_cache_rule" "quay" {
  ecr_repository_prefix = "terraform/quay"
  upstream_registry_url = "quay.io"
}

resource "aws_ecr_pull_through_cache_rule" "hub" {
  ecr_repository_prefix = "terraform/hub/"
  upstream_registry_url = "registry-1.docker.io"
  credential_arn        = "${local.secret}/${var.changed ? "new" : "old"}-AbCdEf"
}

resource "aws_ecr_pull_through_cache_rule" "ecr" {
  ecr_repository_prefix      = "terraform/ecr"
  upstream_registry_url      = "444455556666.dkr.ecr.us-west-2.amazonaws.com"
  upstream_repository_prefix = "team"
  custom_role_arn            = "${local.role}/${var.changed ? "new" : "old"}"
}

data "aws_ecr_pull_through_cache_rule" "hub" {
  ecr_repository_prefix = aws_ecr_pull_through_cache_rule.hub.ecr_repository_prefix
}

resource "aws_ecr_repository_creation_template" "bare" {
  prefix      = "ROOT"
  applied_for = ["REPLICATION"]
}

resource "aws_ecr_repository_creation_template" "full" {
  prefix               = "terraform/templated"
  description          = var.changed ? null : "What Terraform creates"
  applied_for          = var.changed ? ["PULL_THROUGH_CACHE"] : ["PULL_THROUGH_CACHE", "REPLICATION"]
  image_tag_mutability = var.changed ? "MUTABLE" : "IMMUTABLE"
  custom_role_arn      = var.changed ? null : "${local.role}/templates"
  resource_tags        = var.changed ? { team = "pier" } : { team = "harbour", empty = "" }

  encryption_configuration {
    encryption_type = var.changed ? "AES256" : "KMS"
  }

  repository_policy = var.changed ? null : jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Pull"
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::${local.account}:root" }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }]
  })

  lifecycle_policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Keep the last ones"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = var.changed ? 5 : 10 }
      action       = { type = "expire" }
    }]
  })
}

resource "aws_ecr_repository_creation_template" "sealed" {
  prefix      = "terraform/sealed"
  applied_for = ["REPLICATION"]

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = "arn:aws:kms:${data.aws_region.here.name}:${local.account}:key/1f2e3d4c-0000-4444-8888-${var.changed ? "bbbbbbbbbbbb" : "aaaaaaaaaaaa"}"
  }
}

data "aws_ecr_repository_creation_template" "full" {
  prefix = aws_ecr_repository_creation_template.full.prefix
}

output "rule" {
  value = data.aws_ecr_pull_through_cache_rule.hub
}

output "template" {
  value = data.aws_ecr_repository_creation_template.full
}
