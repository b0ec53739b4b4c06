# One configuration through its whole life: applied, planned again, changed in place, imported, destroyed.

resource "aws_ecr_repository" "full" {
  name                 = "terraform/full"
  image_tag_mutability = var.changed ? "IMMUTABLE" : "MUTABLE"
  force_delete         = var.changed

  image_scanning_configuration {
    scan_on_push = !var.changed
  }

  encryption_configuration {
    encryption_type = "AES256"
  }

  tags = var.changed ? { team = "pier", "cost centre" = "42" } : { team = "harbour", empty = "" }

  timeouts {
    delete = var.changed ? "2m" : "1m"
  }
}

resource "aws_ecr_repository" "sealed" {
  name = "terraform/sealed"

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = "arn:aws:kms:us-east-1:${data.aws_caller_identity.me.account_id}:key/1f2e3d4c-0000-4444-8888-aabbccddeeff"
  }
}

resource "aws_ecr_repository" "bare" {
  name = "terraform/bare"
}

resource "aws_ecr_lifecycle_policy" "full" {
  repository = aws_ecr_repository.full.name

  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Untagged images go"
        selection = {
          tagStatus   = "untagged"
          countType   = "sinceImagePushed"
          countUnit   = "days"
          countNumber = var.changed ? 7 : 14
        }
        action = { type = "expire" }
      },
      {
        rulePriority = 2
        selection = {
          tagStatus      = "tagged"
          tagPatternList = ["release-*"]
          countType      = "imageCountMoreThan"
          countNumber    = 30
        }
        action = { type = "expire" }
      },
    ]
  })
}

data "aws_ecr_lifecycle_policy_document" "bare" {
  rule {
    priority    = 10
    description = "Keep the last five"

    selection {
      tag_status      = "tagged"
      tag_prefix_list = ["v"]
      count_type      = "imageCountMoreThan"
      count_number    = 5
    }
  }

  rule {
    priority = 20

    selection {
      tag_status       = "tagged"
      tag_pattern_list = ["*-rc*", "nightly"]
      count_type       = "sinceImagePushed"
      count_unit       = "days"
      count_number     = var.changed ? 3 : 30
    }

    action {
      type = "expire"
    }
  }
}

resource "aws_ecr_lifecycle_policy" "bare" {
  repository = aws_ecr_repository.bare.name
  policy     = data.aws_ecr_lifecycle_policy_document.bare.json
}

data "aws_iam_policy_document" "pull" {
  statement {
    sid    = var.changed ? "PullAndPush" : "Pull"
    effect = "Allow"
    actions = concat(
      ["ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage", "ecr:BatchCheckLayerAvailability"],
      var.changed ? ["ecr:PutImage", "ecr:InitiateLayerUpload"] : [],
    )

    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::210987654321:root"]
    }
  }
}

resource "aws_ecr_repository_policy" "full" {
  repository = aws_ecr_repository.full.name
  policy     = data.aws_iam_policy_document.pull.json
}

data "aws_ecr_repository" "full" {
  name        = aws_ecr_repository.full.name
  registry_id = aws_ecr_repository.full.registry_id
}

data "aws_ecr_repositories" "all" {
  depends_on = [aws_ecr_repository.full, aws_ecr_repository.bare, aws_ecr_repository.sealed]
}

data "aws_ecr_authorization_token" "token" {
  registry_id = data.aws_caller_identity.me.account_id
}

data "aws_caller_identity" "me" {}

output "repository" {
  value = data.aws_ecr_repository.full
}

output "repository_url" {
  value = aws_ecr_repository.full.repository_url
}

output "names" {
  value = data.aws_ecr_repositories.all.names
}

output "account" {
  value = data.aws_caller_identity.me.account_id
}

# not the token itself: it is a new one at every reading
output "login" {
  value = {
    user         = data.aws_ecr_authorization_token.token.user_name
    server       = data.aws_ecr_authorization_token.token.proxy_endpoint
    has_password = nonsensitive(length(data.aws_ecr_authorization_token.token.password) > 0)
  }
}
