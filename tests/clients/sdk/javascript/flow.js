// The AWS SDK for JavaScript v3 on Amazon ECR, from the first repository to the last: `node flow.js REPOSITORY LAYER_FILE`.
// It prints what it was told as one JSON object; the test knows what is true.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import * as sdk from "@aws-sdk/client-ecr";

const [, , repositoryName, layerFile] = process.argv;
const OCI = "application/vnd.oci.image";
const ecr = new sdk.ECR();
const told = { refusals: {} };

const digestOf = (content) => `sha256:${createHash("sha256").update(content).digest("hex")}`;

/** Note the message of the error that `promise` must end with; it must be of the class `Refusal`. */
async function refused(promise, Refusal) {
  const error = await promise.then(() => new Error(`no ${Refusal.name}`), (reason) => reason);
  if (!(error instanceof Refusal)) throw error;
  told.refusals[error.name] = error.message;
  return error;
}

async function create() {
  const wanted = {
    repositoryName,
    imageTagMutability: sdk.ImageTagMutability.IMMUTABLE,
    tags: [{ Key: "team", Value: "harbour" }],
  };
  const { repository } = await ecr.createRepository(wanted);
  told.uri = repository.repositoryUri;
  told.arn = repository.repositoryArn;
  told.createdAt = Math.floor(repository.createdAt.getTime() / 1000);
  await refused(ecr.createRepository(wanted), sdk.RepositoryAlreadyExistsException);
}

/** Send `content` in parts of the size that is asked for, and one that is out of order. */
async function upload(content) {
  const { uploadId, partSize } = await ecr.initiateLayerUpload({ repositoryName });
  const part = (first, next) =>
    ecr.uploadLayerPart({
      repositoryName,
      uploadId,
      partFirstByte: first,
      partLastByte: next - 1,
      layerPartBlob: content.subarray(first, next),
    });
  for (let first = 0; first < content.length; first += partSize) {
    const { lastByteReceived } = await part(first, Math.min(content.length, first + partSize));
    const next = lastByteReceived + 2;
    if (next < content.length) {
      const refusal = await refused(part(next, content.length), sdk.InvalidLayerPartException);
      told.lastValidByteReceived = refusal.lastValidByteReceived;
    }
  }
  const done = await ecr.completeLayerUpload({ repositoryName, uploadId, layerDigests: [digestOf(content)] });
  return done.layerDigest;
}

/** Send the layer once and five images that hold it, with a tag each. */
async function push() {
  const content = await readFile(layerFile);
  told.layer = await upload(content);
  const rootfs = { type: "layers", diff_ids: [told.layer] };
  const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", rootfs }));
  const image = {
    schemaVersion: 2,
    mediaType: `${OCI}.manifest.v1+json`,
    config: { mediaType: `${OCI}.config.v1+json`, size: config.length, digest: await upload(config) },
    layers: [{ mediaType: `${OCI}.layer.v1.tar`, size: content.length, digest: told.layer }],
  };
  told.manifests = [0, 1, 2, 3, 4].map((number) => JSON.stringify({ ...image, annotations: { number: `${number}` } }));
  told.images = [];
  for (const [number, imageManifest] of told.manifests.entries()) {
    const put = await ecr.putImage({ repositoryName, imageManifest, imageTag: `v${number}` });
    told.images.push(put.image.imageId.imageDigest);
  }
  const moved = { repositoryName, imageManifest: told.manifests[1], imageTag: "v0" };
  await refused(ecr.putImage(moved), sdk.ImageTagAlreadyExistsException);
}

async function describe() {
  told.pages = [];
  told.described = [];
  for await (const page of sdk.paginateDescribeImages({ client: ecr, pageSize: 2 }, { repositoryName })) {
    told.pages.push(page.imageDetails.length);
    told.described.push(...page.imageDetails.map((image) => image.imageDigest));
  }
}

/** Ask for an image that is there and one that is not, and download the layer. */
async function read() {
  const imageIds = [{ imageTag: "v3" }, { imageTag: "missing" }];
  const { images, failures } = await ecr.batchGetImage({ repositoryName, imageIds });
  told.got = images[0].imageManifest;
  told.failure = failures[0].failureCode;
  const { downloadUrl } = await ecr.getDownloadUrlForLayer({ repositoryName, layerDigest: told.layer });
  told.downloaded = digestOf(Buffer.from(await (await fetch(downloadUrl)).arrayBuffer()));
}

/** Fetch a manifest as registry clients do, without the registry's password and with it. */
async function pull() {
  const [{ authorizationToken, proxyEndpoint }] = (await ecr.getAuthorizationToken({})).authorizationData;
  const url = `${proxyEndpoint}/v2/${repositoryName}/manifests/v3`;
  const Accept = `${OCI}.manifest.v1+json`;
  told.statusWithoutPassword = (await fetch(url, { headers: { Accept } })).status;
  const answer = await fetch(url, { headers: { Accept, Authorization: `Basic ${authorizationToken}` } });
  told.user = Buffer.from(authorizationToken, "base64").toString().split(":", 1)[0];
  told.status = answer.status;
  told.pulled = await answer.text();
}

async function applyLifecyclePolicy() {
  await refused(ecr.getLifecyclePolicy({ repositoryName }), sdk.LifecyclePolicyNotFoundException);
  const selection = { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 2 };
  const policy = { rules: [{ rulePriority: 1, selection, action: { type: "expire" } }] };
  await ecr.putLifecyclePolicy({ repositoryName, lifecyclePolicyText: JSON.stringify(policy) });
  told.lifecyclePolicy = (await ecr.getLifecyclePolicy({ repositoryName })).lifecyclePolicyText;
  await ecr.startLifecyclePolicyPreview({ repositoryName });
  await sdk.waitUntilLifecyclePolicyPreviewComplete({ client: ecr, maxWaitTime: 60 }, { repositoryName });
  const preview = await ecr.getLifecyclePolicyPreview({ repositoryName });
  told.preview = preview.status;
  told.wouldExpire = preview.summary.expiringImageTotalCount;
}

async function tag() {
  await ecr.tagResource({ resourceArn: told.arn, tags: [{ Key: "cost centre", Value: "42" }] });
  await ecr.untagResource({ resourceArn: told.arn, tagKeys: ["team"] });
  const { tags } = await ecr.listTagsForResource({ resourceArn: told.arn });
  told.tags = Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value]));
}

async function remove() {
  await refused(ecr.deleteRepository({ repositoryName }), sdk.RepositoryNotEmptyException);
  await ecr.deleteRepository({ repositoryName, force: true });
  await refused(ecr.describeImages({ repositoryName }), sdk.RepositoryNotFoundException);
}

for (const step of [create, push, describe, read, pull, applyLifecyclePolicy, tag, remove]) await step();
console.log(JSON.stringify(told));
