package shop;

import java.util.List;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sqs.SqsClient;

/** The synchronous clients. */
final class SyncAws implements Aws {
  private final DynamoDbClient table;
  private final LambdaClient function;
  private final S3Client bucket;
  private final SfnClient machine;
  private final SqsClient queue;

  SyncAws(List<ExecutionInterceptor> interceptors) {
    table = Aws.client(DynamoDbClient.builder(), interceptors);
    function = Aws.client(LambdaClient.builder(), interceptors);
    bucket = Aws.client(S3Client.builder().forcePathStyle(true), interceptors);
    machine = Aws.client(SfnClient.builder(), interceptors);
    queue = Aws.client(SqsClient.builder(), interceptors);
  }

  @Override
  public void call(String service, String resource, String outcome) {
    switch (service) {
      case "dynamodb" -> table.putItem(Aws.put(resource, outcome));
      case "sfn" -> machine.startExecution(Aws.start(resource, outcome));
      case "sqs" -> queue.sendMessage(Aws.send(resource, outcome));
      case "s3" -> bucket.getObjectAsBytes(Aws.get(resource, outcome));
      case "lambda" -> function.invoke(Aws.invoke(resource, outcome));
      default -> throw new IllegalArgumentException(service);
    }
  }
}
