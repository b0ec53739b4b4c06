# Whom an account has and what they may: users, groups, roles, policies of both kinds, boundaries, a provider for CI.

data "aws_caller_identity" "this" {}

data "aws_iam_policy" "read_only" {
  arn = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
}

data "aws_iam_policy" "by_name" {
  name = "AmazonEC2ContainerRegistryPowerUser"
}

resource "aws_ecr_repository" "app" {
  name = "terraform/app"
}

data "aws_iam_policy_document" "pull" {
  statement {
    sid       = "Login"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }
  statement {
    sid       = "Pull"
    actions   = var.changed ? ["ecr:BatchGetImage"] : ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    resources = [aws_ecr_repository.app.arn]
    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:PrincipalTag/team"
      values   = ["harbour", "pier"]
    }
  }
}

resource "aws_iam_policy" "pull" {
  name        = "terraform-pull"
  path        = "/terraform/"
  description = "what a puller may"
  policy      = data.aws_iam_policy_document.pull.json
  tags        = { team = var.changed ? "pier" : "harbour" }
}

resource "aws_iam_policy" "limit" {
  name_prefix = "terraform-limit-"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "ecr:*", Resource = "*" }]
  })
}

resource "aws_iam_policy" "everywhere" {
  name   = "terraform-everywhere"
  policy = jsonencode({ Version = "2012-10-17", Statement = { Effect = "Deny", Action = ["ecr:Delete*"], Resource = ["*"] } })
}

resource "aws_iam_user" "puller" {
  name                 = var.changed ? "terraform-fetcher" : "terraform-puller"
  path                 = var.changed ? "/fetchers/" : "/terraform/"
  permissions_boundary = var.changed ? null : aws_iam_policy.limit.arn
  # The provider sets changed tags by the new name before it renames: not both at once.
  tags = { team = "harbour", empty = "" }
}

resource "aws_iam_access_key" "puller" {
  user   = aws_iam_user.puller.name
  status = var.changed ? "Inactive" : "Active"
}

resource "aws_iam_virtual_mfa_device" "puller" {
  virtual_mfa_device_name = "terraform-phone"
  path                    = "/terraform/"
  tags                    = { team = var.changed ? "pier" : "harbour" }
}

resource "aws_iam_account_alias" "this" {
  account_alias = "terraform-harbour"
}

resource "aws_iam_group" "pullers" {
  name = "terraform-pullers"
  path = var.changed ? "/fetchers/" : "/terraform/"
}

resource "aws_iam_group" "others" {
  name = "terraform-others"
}

resource "aws_iam_group_membership" "pullers" {
  name  = "pullers"
  group = aws_iam_group.pullers.name
  users = [aws_iam_user.puller.name]
}

resource "aws_iam_user_group_membership" "puller" {
  user   = aws_iam_user.puller.name
  groups = [aws_iam_group.others.name]
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "AWS"
      identifiers = [data.aws_caller_identity.this.account_id]
    }
  }
  statement {
    actions = var.changed ? ["sts:AssumeRoleWithWebIdentity", "sts:TagSession"] : ["sts:AssumeRoleWithWebIdentity"]
    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.ci.arn]
    }
    condition {
      test     = "StringLike"
      variable = "token.actions.githubusercontent.com:sub"
      values   = ["repo:harbour/*:ref:refs/heads/main"]
    }
  }
}

resource "aws_iam_role" "ci" {
  name                 = "terraform-ci"
  path                 = "/terraform/"
  description          = var.changed ? "what CI is" : "what CI becomes"
  assume_role_policy   = data.aws_iam_policy_document.trust.json
  max_session_duration = var.changed ? 3600 : 7200
  permissions_boundary = var.changed ? data.aws_iam_policy.by_name.arn : aws_iam_policy.limit.arn
  tags                 = { team = var.changed ? "pier" : "harbour" }
}

resource "aws_iam_role" "service" {
  name_prefix           = "terraform-service-"
  force_detach_policies = true
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = ["ecs-tasks.amazonaws.com", "ec2.amazonaws.com"] }
    }]
  })
}

resource "aws_iam_user_policy_attachment" "puller" {
  user       = aws_iam_user.puller.name
  policy_arn = aws_iam_policy.pull.arn
}

resource "aws_iam_group_policy_attachment" "pullers" {
  group      = aws_iam_group.pullers.name
  policy_arn = data.aws_iam_policy.read_only.arn
}

resource "aws_iam_role_policy_attachment" "ci" {
  role       = aws_iam_role.ci.name
  policy_arn = var.changed ? data.aws_iam_policy.read_only.arn : data.aws_iam_policy.by_name.arn
}

# A policy that is no boundary: whose boundary it is would count as attached.
resource "aws_iam_policy_attachment" "everywhere" {
  name       = "everywhere"
  policy_arn = aws_iam_policy.everywhere.arn
  groups     = [aws_iam_group.others.name]
  roles      = var.changed ? [] : [aws_iam_role.service.name]
}

data "aws_iam_policy_document" "inline" {
  source_policy_documents = [data.aws_iam_policy_document.pull.json]
  statement {
    effect      = "Deny"
    not_actions = var.changed ? ["ecr:*"] : ["ecr:*", "sts:*"]
    resources   = ["*"]
  }
}

resource "aws_iam_user_policy" "puller" {
  name   = "only"
  user   = aws_iam_user.puller.name
  policy = data.aws_iam_policy_document.inline.json
}

resource "aws_iam_group_policy" "pullers" {
  name   = "only"
  group  = aws_iam_group.pullers.name
  policy = data.aws_iam_policy_document.inline.json
}

resource "aws_iam_role_policy" "ci" {
  name   = "only"
  role   = aws_iam_role.ci.name
  policy = data.aws_iam_policy_document.inline.json
}

resource "aws_iam_role_policies_exclusive" "ci" {
  role_name    = aws_iam_role.ci.name
  policy_names = [aws_iam_role_policy.ci.name]
}

resource "aws_iam_openid_connect_provider" "ci" {
  url             = "https://token.actions.githubusercontent.com"
  client_id_list  = var.changed ? ["sts.amazonaws.com", "berth"] : ["sts.amazonaws.com"]
  thumbprint_list = [var.changed ? "1c58a3a8518e8759bf075b76b750d4f2df264fcd" : "6938fd4d98bab03faadb97b34396831e3780aea1"]
  tags            = { team = var.changed ? "pier" : "harbour" }
}

resource "aws_iam_openid_connect_provider" "plain" {
  url            = "https://gitlab.example.com"
  client_id_list = ["https://gitlab.example.com"]
}

data "aws_iam_user" "puller" {
  user_name = aws_iam_user.puller.name
}

data "aws_iam_group" "pullers" {
  group_name = aws_iam_group_membership.pullers.group
}

data "aws_iam_role" "ci" {
  name = aws_iam_role.ci.name
}

data "aws_iam_openid_connect_provider" "ci" {
  url = "https://${aws_iam_openid_connect_provider.ci.url}"
}

output "account" {
  value = data.aws_caller_identity.this.account_id
}

output "found" {
  value = {
    user     = data.aws_iam_user.puller.user_id == aws_iam_user.puller.unique_id
    members  = data.aws_iam_group.pullers.users[*].user_name
    role     = data.aws_iam_role.ci.unique_id == aws_iam_role.ci.unique_id
    provider = data.aws_iam_openid_connect_provider.ci.arn == aws_iam_openid_connect_provider.ci.arn
    aws      = jsondecode(data.aws_iam_policy.read_only.policy).Statement[0].Effect
  }
}

output "key" {
  value = aws_iam_access_key.puller.id
}

output "seed" {
  value     = aws_iam_virtual_mfa_device.puller.base_32_string_seed
  sensitive = true
}

output "secret" {
  value     = aws_iam_access_key.puller.secret
  sensitive = true
}

output "limit" {
  value = aws_iam_policy.limit.arn
}
