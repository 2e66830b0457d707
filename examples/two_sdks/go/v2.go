package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

const machineArn = "arn:aws:states:eu-west-1:123456789012:stateMachine:"

var queueURL = os.Getenv("AWS_ENDPOINT_URL") + "/123456789012/"

func newV2(ctx context.Context, tracing tracing) caller {
	configuration := must(config.LoadDefaultConfig(ctx))
	tracing.v2(&configuration)
	table, function := dynamodb.NewFromConfig(configuration), lambda.NewFromConfig(configuration)
	machine, queue := sfn.NewFromConfig(configuration), sqs.NewFromConfig(configuration)
	bucket := s3.NewFromConfig(configuration, func(o *s3.Options) { o.UsePathStyle = true })
	return func(ctx context.Context, service, resource, outcome string) error {
		var err error
		switch service {
		case "dynamodb":
			item := map[string]types.AttributeValue{"outcome": &types.AttributeValueMemberS{Value: outcome}}
			_, err = table.PutItem(ctx, &dynamodb.PutItemInput{TableName: &resource, Item: item})
		case "sfn":
			_, err = machine.StartExecution(ctx, &sfn.StartExecutionInput{
				StateMachineArn: aws.String(machineArn + resource), Name: &outcome})
		case "sqs":
			_, err = queue.SendMessage(ctx, &sqs.SendMessageInput{
				QueueUrl: aws.String(queueURL + resource), MessageBody: &outcome})
		case "s3":
			_, err = bucket.GetObject(ctx, &s3.GetObjectInput{Bucket: &resource, Key: &outcome})
		case "lambda":
			payload := []byte(fmt.Sprintf(`{"outcome": %q}`, outcome))
			_, err = function.Invoke(ctx, &lambda.InvokeInput{FunctionName: &resource, Payload: payload})
		default:
			err = fmt.Errorf("unknown service %q", service)
		}
		return err
	}
}
