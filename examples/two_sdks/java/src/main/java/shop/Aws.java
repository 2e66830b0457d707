package shop;

import java.net.URI;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.PutItemRequest;
import software.amazon.awssdk.services.lambda.model.InvokeRequest;
import software.amazon.awssdk.services.s3.model.GetObjectRequest;
import software.amazon.awssdk.services.sfn.model.StartExecutionRequest;
import software.amazon.awssdk.services.sqs.model.SendMessageRequest;

/** One call of one service; an exception says that it failed. */
interface Aws {
  void call(String service, String resource, String outcome);

  static <B extends AwsClientBuilder<B, C>, C> C client(B builder, List<ExecutionInterceptor> all) {
    return builder
        .endpointOverride(URI.create(System.getenv("AWS_ENDPOINT_URL")))
        .overrideConfiguration(c -> all.forEach(c::addExecutionInterceptor))
        .build();
  }

  static PutItemRequest put(String table, String outcome) {
    Map<String, AttributeValue> item = Map.of("outcome", AttributeValue.fromS(outcome));
    return PutItemRequest.builder().tableName(table).item(item).build();
  }

  static StartExecutionRequest start(String machine, String outcome) {
    String arn = "arn:aws:states:eu-west-1:123456789012:stateMachine:" + machine;
    return StartExecutionRequest.builder().stateMachineArn(arn).name(outcome).input("{}").build();
  }

  static SendMessageRequest send(String queue, String outcome) {
    String url = System.getenv("AWS_ENDPOINT_URL") + "/123456789012/" + queue;
    return SendMessageRequest.builder().queueUrl(url).messageBody(outcome).build();
  }

  static GetObjectRequest get(String bucket, String outcome) {
    return GetObjectRequest.builder().bucket(bucket).key(outcome).build();
  }

  static InvokeRequest invoke(String function, String outcome) {
    SdkBytes payload = SdkBytes.fromUtf8String("{\"outcome\": \"" + outcome + "\"}");
    return InvokeRequest.builder().functionName(function).payload(payload).build();
  }
}
