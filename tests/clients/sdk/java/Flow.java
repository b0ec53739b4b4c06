import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.ecr.EcrClient;
import software.amazon.awssdk.services.ecr.model.*;

/**
 * The AWS SDK for Java v2 on Amazon ECR, from the first repository to the last: {@code java Flow REPOSITORY LAYER_FILE}.
 * It prints what it was told as one JSON object; the test knows what is true.
 */
public final class Flow {
    private static final String OCI = "application/vnd.oci.image";

    private final EcrClient ecr = EcrClient.create();
    private final HttpClient http = HttpClient.newHttpClient();
    private final Map<String, Object> told = new LinkedHashMap<>();
    private final Map<String, Object> refusals = new LinkedHashMap<>();
    private final String repository;

    private Flow(String repository) {
        this.repository = repository;
    }

    public static void main(String[] arguments) throws Exception {
        var flow = new Flow(arguments[0]);
        flow.create();
        flow.push(Files.readAllBytes(Path.of(arguments[1])));
        flow.describe();
        flow.read();
        flow.pull();
        flow.applyLifecyclePolicy();
        flow.tag();
        flow.remove();
        flow.told.put("refusals", flow.refusals);
        System.out.println(Json.of(flow.told));
    }

    private void create() {
        var wanted = CreateRepositoryRequest.builder()
            .repositoryName(repository)
            .imageTagMutability(ImageTagMutability.IMMUTABLE)
            .tags(Tag.builder().key("team").value("harbour").build())
            .build();
        var created = ecr.createRepository(wanted).repository();
        told.put("uri", created.repositoryUri());
        told.put("arn", created.repositoryArn());
        told.put("createdAt", created.createdAt().getEpochSecond());
        refused(RepositoryAlreadyExistsException.class, () -> ecr.createRepository(wanted));
    }

    /** Sends the layer once and five images that hold it, with a tag each. */
    private void push(byte[] content) throws Exception {
        var layer = upload(content);
        told.put("layer", layer);
        var config = Json.of(Map.of("rootfs", Map.of("type", "layers", "diff_ids", List.of(layer)))).getBytes();
        var configDigest = upload(config);
        List<String> manifests = new ArrayList<>();
        List<String> images = new ArrayList<>();
        for (int number = 0; number < 5; number++) {
            var manifest = Json.of(Map.of(
                "schemaVersion", 2,
                "mediaType", OCI + ".manifest.v1+json",
                "config", Map.of("mediaType", OCI + ".config.v1+json", "size", config.length, "digest", configDigest),
                "layers", List.of(Map.of("mediaType", OCI + ".layer.v1.tar", "size", content.length, "digest", layer)),
                "annotations", Map.of("number", "" + number)));
            var tag = "v" + number;
            var put = ecr.putImage(image -> image.repositoryName(repository).imageManifest(manifest).imageTag(tag));
            manifests.add(manifest);
            images.add(put.image().imageId().imageDigest());
        }
        told.put("manifests", manifests);
        told.put("images", images);
        refused(ImageTagAlreadyExistsException.class, () -> ecr.putImage(
            image -> image.repositoryName(repository).imageManifest(manifests.get(1)).imageTag("v0")));
    }

    /** Sends content in parts of the size that it is asked for, and one that is out of order. */
    private String upload(byte[] content) throws Exception {
        var upload = ecr.initiateLayerUpload(request -> request.repositoryName(repository));
        for (long first = 0; first < content.length; first += upload.partSize()) {
            var last = Math.min(content.length, first + upload.partSize());
            var received = uploadPart(upload.uploadId(), content, first, last).lastByteReceived();
            if (received + 2 < content.length) {
                var refusal = refused(InvalidLayerPartException.class,
                    () -> uploadPart(upload.uploadId(), content, received + 2, content.length));
                told.put("lastValidByteReceived", refusal.lastValidByteReceived());
            }
        }
        var digest = digestOf(content);
        return ecr.completeLayerUpload(request -> request
            .repositoryName(repository).uploadId(upload.uploadId()).layerDigests(digest)).layerDigest();
    }

    private UploadLayerPartResponse uploadPart(String uploadId, byte[] content, long first, long next) {
        var part = SdkBytes.fromByteArray(Arrays.copyOfRange(content, (int) first, (int) next));
        return ecr.uploadLayerPart(request -> request
            .repositoryName(repository).uploadId(uploadId)
            .partFirstByte(first).partLastByte(next - 1).layerPartBlob(part));
    }

    private void describe() {
        List<Integer> pages = new ArrayList<>();
        List<String> described = new ArrayList<>();
        for (var page : ecr.describeImagesPaginator(request -> request.repositoryName(repository).maxResults(2))) {
            pages.add(page.imageDetails().size());
            page.imageDetails().forEach(image -> described.add(image.imageDigest()));
        }
        told.put("pages", pages);
        told.put("described", described);
    }

    /** Asks for an image that is there and one that is not, and downloads the layer. */
    private void read() throws Exception {
        var wanted = List.of(
            ImageIdentifier.builder().imageTag("v3").build(), ImageIdentifier.builder().imageTag("missing").build());
        var got = ecr.batchGetImage(request -> request.repositoryName(repository).imageIds(wanted));
        told.put("got", got.images().get(0).imageManifest());
        told.put("failure", got.failures().get(0).failureCodeAsString());
        var layer = (String) told.get("layer");
        var link = ecr.getDownloadUrlForLayer(request -> request.repositoryName(repository).layerDigest(layer));
        told.put("downloaded", digestOf(fetch(HttpRequest.newBuilder(URI.create(link.downloadUrl()))).body()));
    }

    /** Fetches a manifest as registry clients do, without the registry's password and with it. */
    private void pull() throws Exception {
        var token = ecr.getAuthorizationToken().authorizationData().get(0);
        var user = new String(Base64.getDecoder().decode(token.authorizationToken())).split(":", 2)[0];
        var url = URI.create(token.proxyEndpoint() + "/v2/" + repository + "/manifests/v3");
        var request = HttpRequest.newBuilder(url).header("Accept", OCI + ".manifest.v1+json");
        told.put("user", user);
        told.put("statusWithoutPassword", fetch(request).statusCode());
        var answer = fetch(request.header("Authorization", "Basic " + token.authorizationToken()));
        told.put("status", answer.statusCode());
        told.put("pulled", new String(answer.body(), StandardCharsets.UTF_8));
    }

    private void applyLifecyclePolicy() {
        refused(LifecyclePolicyNotFoundException.class,
            () -> ecr.getLifecyclePolicy(request -> request.repositoryName(repository)));
        var policy = Json.of(Map.of("rules", List.of(Map.of(
            "rulePriority", 1,
            "selection", Map.of("tagStatus", "any", "countType", "imageCountMoreThan", "countNumber", 2),
            "action", Map.of("type", "expire")))));
        ecr.putLifecyclePolicy(request -> request.repositoryName(repository).lifecyclePolicyText(policy));
        var stored = ecr.getLifecyclePolicy(request -> request.repositoryName(repository));
        told.put("lifecyclePolicy", stored.lifecyclePolicyText());
        ecr.startLifecyclePolicyPreview(request -> request.repositoryName(repository));
        try (var waiter = ecr.waiter()) {
            var preview = waiter.waitUntilLifecyclePolicyPreviewComplete(request -> request.repositoryName(repository))
                .matched().response().orElseThrow();
            told.put("preview", preview.statusAsString());
            told.put("wouldExpire", preview.summary().expiringImageTotalCount());
        }
    }

    private void tag() {
        var arn = (String) told.get("arn");
        var tag = Tag.builder().key("cost centre").value("42").build();
        ecr.tagResource(request -> request.resourceArn(arn).tags(tag));
        ecr.untagResource(request -> request.resourceArn(arn).tagKeys("team"));
        var tags = ecr.listTagsForResource(request -> request.resourceArn(arn)).tags();
        told.put("tags", tags.stream().collect(Collectors.toMap(Tag::key, Tag::value)));
    }

    private void remove() {
        refused(RepositoryNotEmptyException.class,
            () -> ecr.deleteRepository(request -> request.repositoryName(repository)));
        ecr.deleteRepository(request -> request.repositoryName(repository).force(true));
        refused(RepositoryNotFoundException.class,
            () -> ecr.describeImages(request -> request.repositoryName(repository)));
    }

    /** Notes the message of the error that the call must end with, which must be of this class. */
    private <E extends EcrException> E refused(Class<E> expected, Runnable call) {
        try {
            call.run();
        } catch (EcrException error) {
            if (!expected.isInstance(error)) {
                throw error;
            }
            refusals.put(error.awsErrorDetails().errorCode(), error.awsErrorDetails().errorMessage());
            return expected.cast(error);
        }
        throw new IllegalStateException("no " + expected.getSimpleName());
    }

    private HttpResponse<byte[]> fetch(HttpRequest.Builder request) throws IOException, InterruptedException {
        return http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    }

    private static String digestOf(byte[] content) throws Exception {
        var hashed = java.security.MessageDigest.getInstance("SHA-256").digest(content);
        return "sha256:" + java.util.HexFormat.of().formatHex(hashed);
    }
}
