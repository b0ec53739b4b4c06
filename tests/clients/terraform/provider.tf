# Three endpoints are all that the provider is told; credentials and region come from `berth env`.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

variable "ecr_endpoint" {
  type = string
}

variable "iam_endpoint" {
  type = string
}

variable "sts_endpoint" {
  type = string
}

variable "changed" {
  description = "Whether every argument that can change in place has its second value"
  type        = bool
  default     = false
}

provider "aws" {
  endpoints {
    ecr = var.ecr_endpoint
    iam = var.iam_endpoint
    sts = var.sts_endpoint
  }

  default_tags {
    tags = {
      managed-by = "terraform"
    }
  }
}
