package shop;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.lambda.LambdaAsyncClient;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.sfn.SfnAsyncClient;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;

/** The asynchronous clients: their failures are CompletionExceptions. */
final class AsyncAws implements Aws {
  private final DynamoDbAsyncClient table;
  private final LambdaAsyncClient function;
  private final S3AsyncClient bucket;
  private final SfnAsyncClient machine;
  private final SqsAsyncClient queue;

  AsyncAws(List<ExecutionInterceptor> interceptors) {
    table = Aws.client(DynamoDbAsyncClient.builder(), interceptors);
    function = Aws.client(LambdaAsyncClient.builder(), interceptors);
    bucket = Aws.client(S3AsyncClient.builder().forcePathStyle(true), interceptors);
    machine = Aws.client(SfnAsyncClient.builder(), interceptors);
    queue = Aws.client(SqsAsyncClient.builder(), interceptors);
  }

  @Override
  public void call(String service, String resource, String outcome) {
    CompletableFuture<?> answer = switch (service) {
      case "dynamodb" -> table.putItem(Aws.put(resource, outcome));
      case "sfn" -> machine.startExecution(Aws.start(resource, outcome));
      case "sqs" -> queue.sendMessage(Aws.send(resource, outcome));
      case "s3" -> bucket.getObject(Aws.get(resource, outcome), AsyncResponseTransformer.toBytes());
      case "lambda" -> function.invoke(Aws.invoke(resource, outcome));
      default -> throw new IllegalArgumentException(service);
    };
    answer.join();
  }
}
