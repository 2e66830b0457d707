package clients;

import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.xray.XRayClient;
import software.amazon.awssdk.services.xray.model.InvalidRequestException;
import software.amazon.awssdk.services.xray.model.ResourceNotFoundException;
import software.amazon.awssdk.services.xray.model.SamplingRule;
import software.amazon.awssdk.services.xray.model.TraceSummary;

/** The AWS SDK for Java v2 against Raymap: it writes a trace, and reads it back in every way. */
public final class Main {
    private final XRayClient api;
    private final String name = "java-" + hexadecimal(4);
    private final Instant from = Instant.now().minus(Duration.ofMinutes(5));
    private final Instant to = Instant.now().plus(Duration.ofMinutes(1));

    private Main(String url) {
        api = XRayClient.builder()
            .endpointOverride(URI.create(url))
            .region(Region.US_EAST_1)
            .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("any", "any")))
            .build();
    }

    public static void main(String[] arguments) throws InterruptedException {
        Main main = new Main(arguments[0]);
        main.traces();
        main.configuration();
        main.errors();
    }

    private static String hexadecimal(int bytes) {
        byte[] id = new byte[bytes];
        new Random().nextBytes(id);
        return HexFormat.of().formatHex(id);
    }

    private void traces() throws InterruptedException {
        double start = System.currentTimeMillis() / 1000.0 - 1;
        String id = String.format("1-%08x-%s", (long) start, hexadecimal(12));
        String document = String.format(
            "{\"trace_id\":\"%s\",\"id\":\"%s\",\"name\":\"%s\",\"start_time\":%f,\"end_time\":%f,"
                + "\"fault\":true,\"annotations\":{\"client\":\"java\"}}",
            id, hexadecimal(8), name, start, start + 0.25);
        var put = api.putTraceSegments(r -> r.traceSegmentDocuments(document, "{}"));
        System.out.printf("PutTraceSegments: unprocessed %d (%s)%n", put.unprocessedTraceSegments().size(),
            put.unprocessedTraceSegments().get(0).errorCode());
        List<TraceSummary> found = find("service(\"" + name + "\") { fault } AND annotation.client = \"java\"");
        check(found.size() == 1 && found.get(0).id().equals(id), "GetTraceSummaries");
        System.out.printf("GetTraceSummaries: 1, duration %.3f s, fault %b, causes %d%n",
            found.get(0).duration(), found.get(0).hasFault(), found.get(0).faultRootCauses().size());
        var traces = api.batchGetTracesPaginator(r -> r.traceIds(id)).traces().stream().toList();
        System.out.printf("BatchGetTraces: %d trace, %d segment%n", traces.size(), traces.get(0).segments().size());
        System.out.printf("GetTraceGraph: %d services%n", api.getTraceGraph(r -> r.traceIds(id)).services().size());
        check(isDrawn(), "GetServiceGraph");
        long total = api.getTimeSeriesServiceStatistics(r -> r.startTime(from).endTime(to)
                .entitySelectorExpression("service(\"" + name + "\")"))
            .timeSeriesServiceStatistics().stream()
            .mapToLong(point -> point.serviceSummaryStatistics().totalCount()).sum();
        System.out.printf("GetServiceGraph: found; GetTimeSeriesServiceStatistics: %d%n", total);
    }

    /** The graph is counted some time after a trace is found: half a second, or more on a busy machine. */
    private boolean isDrawn() throws InterruptedException {
        for (int attempt = 0; attempt < 100; attempt++) {
            if (api.getServiceGraphPaginator(r -> r.startTime(from).endTime(to)).services().stream()
                .anyMatch(s -> name.equals(s.name()))) {
                return true;
            }
            TimeUnit.MILLISECONDS.sleep(100);
        }
        return false;
    }

    private List<TraceSummary> find(String filter) throws InterruptedException {
        for (int attempt = 0; attempt < 100; attempt++) {
            var found = api.getTraceSummariesPaginator(r -> r.startTime(from).endTime(to).filterExpression(filter))
                .traceSummaries().stream().toList();
            if (!found.isEmpty()) {
                return found;
            }
            TimeUnit.MILLISECONDS.sleep(100);
        }
        return List.of();
    }

    private void configuration() {
        String arn = api.createGroup(r -> r.groupName(name).filterExpression("fault")).group().groupARN();
        int groups = api.getGroups(r -> { }).groups().size();
        api.tagResource(r -> r.resourceARN(arn).tags(t -> t.key("team").value("shop")));
        int tags = api.listTagsForResource(r -> r.resourceARN(arn)).tags().size();
        api.deleteGroup(r -> r.groupARN(arn));
        System.out.printf("groups: %d while it existed, %d tag%n", groups, tags);
        SamplingRule rule = SamplingRule.builder().ruleName(name).resourceARN("*").priority(8).fixedRate(0.5)
            .reservoirSize(3).serviceName("*").serviceType("*").host("*").httpMethod("*").urlPath("*").version(1)
            .build();
        api.createSamplingRule(r -> r.samplingRule(rule));
        var targets = api.getSamplingTargets(r -> r.samplingStatisticsDocuments(d -> d.ruleName(name)
            .clientID(hexadecimal(12)).timestamp(Instant.now()).requestCount(9).sampledCount(5)));
        System.out.printf("GetSamplingTargets: rate %.2f%n", targets.samplingTargetDocuments().get(0).fixedRate());
        api.deleteSamplingRule(r -> r.ruleName(name));
    }

    private void errors() {
        try {
            api.getTraceSummaries(r -> r.startTime(from).endTime(to).filterExpression("responstime > 1"));
            check(false, "InvalidRequestException");
        } catch (InvalidRequestException error) {
            System.out.println("InvalidRequestException: " + error.awsErrorDetails().errorMessage());
        }
        try {
            api.listTagsForResource(r -> r.resourceARN("arn:aws:xray:us-east-1:000000000000:group/none/AAAA"));
            check(false, "ResourceNotFoundException");
        } catch (ResourceNotFoundException error) {
            System.out.println("ResourceNotFoundException: " + error.awsErrorDetails().errorMessage());
        }
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException("FAILED " + what);
        }
    }
}
