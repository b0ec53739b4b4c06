# What a deployment reads: the image behind a tag, behind a digest, and the newest one.

variable "repository" {
  type = string
}

variable "digest" {
  type = string
}

data "aws_ecr_image" "by_tag" {
  repository_name = var.repository
  image_tag       = "1.0"
}

data "aws_caller_identity" "me" {}

data "aws_ecr_image" "by_digest" {
  registry_id     = data.aws_caller_identity.me.account_id
  repository_name = var.repository
  image_digest    = var.digest
}

data "aws_ecr_image" "newest" {
  repository_name = var.repository
  most_recent     = true
}

output "by_tag" {
  value = data.aws_ecr_image.by_tag
}

output "by_digest" {
  value = data.aws_ecr_image.by_digest
}

output "newest" {
  value = data.aws_ecr_image.newest
}
