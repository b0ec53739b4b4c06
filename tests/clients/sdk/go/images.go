package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
)

const (
	images      = 5
	longestWait = time.Minute
	oci         = "application/vnd.oci.image"
)

// push sends the layer once and five images that hold it, with a tag each.
func push(content []byte) {
	layer := upload(content)
	told["layer"] = layer
	config := []byte(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["` + layer + `"]}}`)
	configDigest := upload(config)
	manifests, digests := []string{}, []string{}
	for number := range images {
		manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"%s.manifest.v1+json",`+
			`"config":{"mediaType":"%s.config.v1+json","size":%d,"digest":"%s"},`+
			`"layers":[{"mediaType":"%s.layer.v1.tar","size":%d,"digest":"%s"}],"annotations":{"number":"%d"}}`,
			oci, oci, len(config), configDigest, oci, len(content), layer, number)
		put := must(client.PutImage(ctx, &ecr.PutImageInput{
			RepositoryName: repository, ImageManifest: &manifest, ImageTag: aws.String(fmt.Sprintf("v%d", number)),
		})).Image
		manifests, digests = append(manifests, manifest), append(digests, *put.ImageId.ImageDigest)
	}
	told["manifests"], told["images"] = manifests, digests
	moved := &ecr.PutImageInput{RepositoryName: repository, ImageManifest: &manifests[1], ImageTag: aws.String("v0")}
	_, err := client.PutImage(ctx, moved)
	refused[*types.ImageTagAlreadyExistsException](err)
}

// upload sends content in parts of the size that it is asked for, after one that is out of order.
func upload(content []byte) string {
	upload := must(client.InitiateLayerUpload(ctx, &ecr.InitiateLayerUploadInput{RepositoryName: repository}))
	part := func(first, next int64) (*ecr.UploadLayerPartOutput, error) {
		return client.UploadLayerPart(ctx, &ecr.UploadLayerPartInput{
			RepositoryName: repository, UploadId: upload.UploadId, LayerPartBlob: content[first:next],
			PartFirstByte: aws.Int64(first), PartLastByte: aws.Int64(next - 1),
		})
	}
	size := int64(len(content))
	for first := int64(0); first < size; first += *upload.PartSize {
		received := *must(part(first, min(size, first+*upload.PartSize))).LastByteReceived
		if next := received + 2; next < size {
			_, err := part(next, size)
			told["lastValidByteReceived"] = refused[*types.InvalidLayerPartException](err).LastValidByteReceived
		}
	}
	return *must(client.CompleteLayerUpload(ctx, &ecr.CompleteLayerUploadInput{
		RepositoryName: repository, UploadId: upload.UploadId, LayerDigests: []string{digestOf(content)},
	})).LayerDigest
}

// read asks for an image that is there and one that is not, and downloads the layer.
func read() {
	wanted := []types.ImageIdentifier{{ImageTag: aws.String("v3")}, {ImageTag: aws.String("missing")}}
	got := must(client.BatchGetImage(ctx, &ecr.BatchGetImageInput{RepositoryName: repository, ImageIds: wanted}))
	told["got"], told["failure"] = got.Images[0].ImageManifest, got.Failures[0].FailureCode
	layer := aws.String(told["layer"].(string))
	link := must(client.GetDownloadUrlForLayer(ctx, &ecr.GetDownloadUrlForLayerInput{
		RepositoryName: repository, LayerDigest: layer,
	}))
	_, content := fetch(must(http.NewRequestWithContext(ctx, http.MethodGet, *link.DownloadUrl, nil)))
	told["downloaded"] = digestOf(content)
}

// pull fetches a manifest as registry clients do, without the registry's password and with it.
func pull() {
	token := must(client.GetAuthorizationToken(ctx, &ecr.GetAuthorizationTokenInput{})).AuthorizationData[0]
	user, password, _ := strings.Cut(string(must(base64.StdEncoding.DecodeString(*token.AuthorizationToken))), ":")
	told["user"] = user
	url := fmt.Sprintf("%s/v2/%s/manifests/v3", *token.ProxyEndpoint, *repository)
	request := must(http.NewRequestWithContext(ctx, http.MethodGet, url, nil))
	request.Header.Set("Accept", oci+".manifest.v1+json")
	told["statusWithoutPassword"], _ = fetch(request)
	request.SetBasicAuth(user, password)
	status, content := fetch(request)
	told["status"], told["pulled"] = status, string(content)
}

func fetch(request *http.Request) (int, []byte) {
	answer := must(http.DefaultClient.Do(request))
	defer answer.Body.Close()
	return answer.StatusCode, must(io.ReadAll(answer.Body))
}
