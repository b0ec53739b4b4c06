// The AWS SDK for Go v2 on Amazon ECR, from the first repository to the last: `flow REPOSITORY LAYER_FILE`.
// It prints what it was told as one JSON object; the test knows what is true.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

var (
	ctx        = context.Background()
	repository *string
	client     *ecr.Client
	told       = map[string]any{}
	refusals   = map[string]string{}
)

func main() {
	settings := must(config.LoadDefaultConfig(ctx))
	client = ecr.NewFromConfig(settings)
	repository = aws.String(os.Args[1])
	layer := must(os.ReadFile(os.Args[2]))

	create()
	push(layer)
	describe()
	read()
	pull()
	applyLifecyclePolicy()
	tag()
	remove()
	told["refusals"] = refusals
	fmt.Println(string(must(json.Marshal(told))))
}

func create() {
	wanted := &ecr.CreateRepositoryInput{
		RepositoryName:     repository,
		ImageTagMutability: types.ImageTagMutabilityImmutable,
		Tags:               []types.Tag{{Key: aws.String("team"), Value: aws.String("harbour")}},
	}
	created := must(client.CreateRepository(ctx, wanted)).Repository
	told["uri"], told["arn"] = created.RepositoryUri, created.RepositoryArn
	told["createdAt"] = created.CreatedAt.Unix()
	_, err := client.CreateRepository(ctx, wanted)
	refused[*types.RepositoryAlreadyExistsException](err)
}

func describe() {
	pages, digests := []int{}, []string{}
	paginator := ecr.NewDescribeImagesPaginator(client, &ecr.DescribeImagesInput{
		RepositoryName: repository, MaxResults: aws.Int32(2),
	})
	for paginator.HasMorePages() {
		page := must(paginator.NextPage(ctx)).ImageDetails
		pages = append(pages, len(page))
		for _, image := range page {
			digests = append(digests, *image.ImageDigest)
		}
	}
	told["pages"], told["described"] = pages, digests
}

func applyLifecyclePolicy() {
	_, err := client.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RepositoryName: repository})
	refused[*types.LifecyclePolicyNotFoundException](err)
	policy := aws.String(`{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any","countType":"imageCountMoreThan",` +
		`"countNumber":2},"action":{"type":"expire"}}]}`)
	must(client.PutLifecyclePolicy(ctx, &ecr.PutLifecyclePolicyInput{
		RepositoryName: repository, LifecyclePolicyText: policy,
	}))
	told["lifecyclePolicy"] = must(client.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{
		RepositoryName: repository,
	})).LifecyclePolicyText
	must(client.StartLifecyclePolicyPreview(ctx, &ecr.StartLifecyclePolicyPreviewInput{RepositoryName: repository}))
	asked := &ecr.GetLifecyclePolicyPreviewInput{RepositoryName: repository}
	waiter := ecr.NewLifecyclePolicyPreviewCompleteWaiter(client)
	preview := must(waiter.WaitForOutput(ctx, asked, longestWait))
	told["preview"], told["wouldExpire"] = preview.Status, preview.Summary.ExpiringImageTotalCount
}

func tag() {
	arn := told["arn"].(*string)
	must(client.TagResource(ctx, &ecr.TagResourceInput{
		ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("cost centre"), Value: aws.String("42")}},
	}))
	must(client.UntagResource(ctx, &ecr.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"team"}}))
	tags := map[string]string{}
	for _, tag := range must(client.ListTagsForResource(ctx, &ecr.ListTagsForResourceInput{ResourceArn: arn})).Tags {
		tags[*tag.Key] = *tag.Value
	}
	told["tags"] = tags
}

func remove() {
	_, err := client.DeleteRepository(ctx, &ecr.DeleteRepositoryInput{RepositoryName: repository})
	refused[*types.RepositoryNotEmptyException](err)
	must(client.DeleteRepository(ctx, &ecr.DeleteRepositoryInput{RepositoryName: repository, Force: true}))
	_, err = client.DescribeImages(ctx, &ecr.DescribeImagesInput{RepositoryName: repository})
	refused[*types.RepositoryNotFoundException](err)
}

// must ends the program when something went wrong.
func must[T any](answer T, err error) T {
	if err != nil {
		fail("%v", err)
	}
	return answer
}

// refused notes the message of err, which must be of class E.
func refused[E interface {
	error
	ErrorCode() string
	ErrorMessage() string
}](err error) E {
	var refusal E
	if !errors.As(err, &refusal) {
		fail("not a %T: %v", refusal, err)
	}
	refusals[refusal.ErrorCode()] = refusal.ErrorMessage()
	return refusal
}

func fail(format string, said ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", said...)
	os.Exit(1)
}

func digestOf(content []byte) string {
	return fmt.Sprintf("sha256:%x", sha256.Sum256(content))
}
