package shop;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.xray.AWSXRay;
import com.amazonaws.xray.interceptors.TracingInterceptor;
import java.net.URI;
import java.util.Map;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;

/**
 * A function as its author writes it. With TRACER=xray its client is the X-Ray SDK's; OpenTelemetry's
 * wrapper, which is the function's handler then, calls this one.
 */
public final class Checkout implements RequestHandler<Map<String, Object>, Map<String, String>> {
    private static final boolean XRAY = "xray".equals(System.getenv("TRACER"));
    private final DynamoDbClient orders = client();

    private static DynamoDbClient client() {
        var builder =
                DynamoDbClient.builder().endpointOverride(URI.create(System.getenv("DYNAMODB_URL")));
        if (XRAY) {
            builder.overrideConfiguration(it -> it.addExecutionInterceptor(new TracingInterceptor()));
        }
        return builder.build();
    }

    @Override
    public Map<String, String> handleRequest(Map<String, Object> event, Context context) {
        System.out.println("an order for " + event.getOrDefault("product", "tea"));
        if (XRAY) {
            AWSXRay.createSubsegment("validate", () -> validate(event));
        } else {
            validate(event);
        }
        var item = Map.of("id", AttributeValue.fromS(context.getAwsRequestId()));
        orders.putItem(request -> request.tableName("orders").item(item));
        return Map.of("stored", context.getAwsRequestId());
    }

    private static void validate(Map<String, Object> event) {
        if (Boolean.TRUE.equals(event.get("fail"))) {
            throw new IllegalArgumentException("no such product");
        }
    }
}
