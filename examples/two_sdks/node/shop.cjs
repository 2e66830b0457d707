// Serves /service/resource/outcome on PORT: one call of AWS, 200 if it succeeds, else 502.
//
//     node --require ./otel.cjs shop.cjs     # OpenTelemetry
//     TRACER=xray node shop.cjs              # the X-Ray SDK

const http = require('node:http')
const AWSXRay = process.env.TRACER === 'xray' ? require('aws-xray-sdk-core') : null
const { DynamoDBClient, PutItemCommand } = require('@aws-sdk/client-dynamodb')
const { LambdaClient, InvokeCommand } = require('@aws-sdk/client-lambda')
const { S3Client, GetObjectCommand } = require('@aws-sdk/client-s3')
const { SFNClient, StartExecutionCommand } = require('@aws-sdk/client-sfn')
const { SQSClient, SendMessageCommand } = require('@aws-sdk/client-sqs')

const traced = (client) => (AWSXRay ? AWSXRay.captureAWSv3Client(client) : client)
const table = traced(new DynamoDBClient())
const lambda = traced(new LambdaClient())
const bucket = traced(new S3Client({ forcePathStyle: true }))
const machine = traced(new SFNClient())
const queue = traced(new SQSClient())

const MACHINE = 'arn:aws:states:eu-west-1:123456789012:stateMachine:'
const QUEUE = `${process.env.AWS_ENDPOINT_URL}/123456789012/`

const calls = {
  dynamodb: (TableName, S) => table.send(new PutItemCommand({ TableName, Item: { outcome: { S } } })),
  sfn: (name, outcome) =>
    machine.send(new StartExecutionCommand({ stateMachineArn: MACHINE + name, name: outcome })),
  sqs: (name, MessageBody) => queue.send(new SendMessageCommand({ QueueUrl: QUEUE + name, MessageBody })),
  s3: (Bucket, Key) => bucket.send(new GetObjectCommand({ Bucket, Key })),
  lambda: (FunctionName, outcome) =>
    lambda.send(new InvokeCommand({ FunctionName, Payload: JSON.stringify({ outcome }) })),
}

async function serve(request, response) {
  const [, service, resource, outcome] = request.url.split('/')
  try {
    await calls[service](resource, outcome)
    response.statusCode = 200
  } catch {
    response.statusCode = 502
  }
  response.end()
}

// A segment as the SDK's middleware for Express writes it.
function serveTraced(request, response) {
  const segment = new AWSXRay.Segment(process.env.SERVICE)
  segment.addIncomingRequestData(new AWSXRay.middleware.IncomingRequestData(request))
  response.on('finish', () => {
    if (response.statusCode >= 500) segment.addFaultFlag()
    segment.http.close(response)
    segment.close()
  })
  const namespace = AWSXRay.getNamespace()
  namespace.run(() => {
    AWSXRay.setSegment(segment)
    serve(request, response)
  })
}

const server = http.createServer(AWSXRay ? serveTraced : serve)
server.listen(Number(process.env.PORT), '127.0.0.1')
process.on('SIGTERM', async () => {
  server.close()
  server.closeAllConnections()
  if (globalThis.stopTracing) await globalThis.stopTracing()
  else setTimeout(() => process.exit(0), 200) // datagrams are sent in the background
})
