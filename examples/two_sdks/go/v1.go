package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go/aws"
	"github.com/aws/aws-sdk-go/aws/client"
	"github.com/aws/aws-sdk-go/aws/request"
	"github.com/aws/aws-sdk-go/aws/session"
	"github.com/aws/aws-sdk-go/service/dynamodb"
	"github.com/aws/aws-sdk-go/service/lambda"
	"github.com/aws/aws-sdk-go/service/s3"
	"github.com/aws/aws-sdk-go/service/sfn"
	"github.com/aws/aws-sdk-go/service/sqs"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

func newV1(tracing tracing) caller {
	config := aws.NewConfig().WithEndpoint(os.Getenv("AWS_ENDPOINT_URL")).WithMaxRetries(1).
		WithS3ForcePathStyle(true)
	s := must(session.NewSession(config))
	table, function, bucket := dynamodb.New(s), lambda.New(s), s3.New(s)
	machine, queue := sfn.New(s), sqs.New(s)
	for _, c := range []*client.Client{
		table.Client, function.Client, bucket.Client, machine.Client, queue.Client,
	} {
		tracing.v1(c)
	}
	return func(ctx context.Context, service, resource, outcome string) error {
		var err error
		switch service {
		case "dynamodb":
			item := map[string]*dynamodb.AttributeValue{"outcome": {S: &outcome}}
			_, err = table.PutItemWithContext(ctx, &dynamodb.PutItemInput{TableName: &resource, Item: item})
		case "sfn":
			_, err = machine.StartExecutionWithContext(ctx, &sfn.StartExecutionInput{
				StateMachineArn: aws.String(machineArn + resource), Name: &outcome})
		case "sqs":
			_, err = queue.SendMessageWithContext(ctx, &sqs.SendMessageInput{
				QueueUrl: aws.String(queueURL + resource), MessageBody: &outcome})
		case "s3":
			_, err = bucket.GetObjectWithContext(ctx, &s3.GetObjectInput{Bucket: &resource, Key: &outcome})
		case "lambda":
			payload := []byte(fmt.Sprintf(`{"outcome": %q}`, outcome))
			_, err = function.InvokeWithContext(ctx, &lambda.InvokeInput{FunctionName: &resource, Payload: payload})
		default:
			err = fmt.Errorf("unknown service %q", service)
		}
		return err
	}
}

// traceV1 makes a span of each request. OpenTelemetry has no instrumentation for this SDK; this is
// what its conventions for AWS SDKs ask of one.
func traceV1(c *client.Client) {
	tracer := otel.Tracer("shop/v1")
	c.Handlers.Validate.PushFront(func(r *request.Request) {
		ctx, span := tracer.Start(r.Context(), r.ClientInfo.ServiceID+"."+r.Operation.Name,
			trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
				attribute.String("rpc.system", "aws-api"),
				attribute.String("rpc.service", r.ClientInfo.ServiceID),
				attribute.String("rpc.method", r.Operation.Name)))
		r.SetContext(ctx)
		span.SetAttributes(resourceOf(r.Params)...)
	})
	c.Handlers.Complete.PushBack(func(r *request.Request) {
		span := trace.SpanFromContext(r.Context())
		if r.Error != nil {
			span.RecordError(r.Error)
			span.SetStatus(codes.Error, r.Error.Error())
		}
		span.End()
	})
}

func resourceOf(parameters any) []attribute.KeyValue {
	switch p := parameters.(type) {
	case *dynamodb.PutItemInput:
		return []attribute.KeyValue{attribute.StringSlice("aws.dynamodb.table_names", []string{*p.TableName})}
	case *sfn.StartExecutionInput:
		return []attribute.KeyValue{attribute.String("aws.step_functions.state_machine.arn", *p.StateMachineArn)}
	case *sqs.SendMessageInput:
		return []attribute.KeyValue{attribute.String("aws.sqs.queue.url", *p.QueueUrl)}
	case *s3.GetObjectInput:
		return []attribute.KeyValue{attribute.String("aws.s3.bucket", *p.Bucket)}
	case *lambda.InvokeInput:
		return []attribute.KeyValue{attribute.String("faas.invoked_name", *p.FunctionName)}
	}
	return nil
}
