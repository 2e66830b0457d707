// A function as its author writes it. With TRACER=xray its client is the X-Ray SDK's; OpenTelemetry's layer
// (otel.js) changes nothing here.

const AWSXRay = process.env.TRACER === 'xray' ? require('aws-xray-sdk-core') : null
const { DynamoDBClient, PutItemCommand } = require('@aws-sdk/client-dynamodb')

const client = new DynamoDBClient({ endpoint: process.env.DYNAMODB_URL })
const orders = AWSXRay ? AWSXRay.captureAWSv3Client(client) : client

exports.handle = async (event, context) => {
  console.log(`an order for ${event.product ?? 'tea'}`)
  await validate(event)
  const Item = { id: { S: context.awsRequestId } }
  await orders.send(new PutItemCommand({ TableName: 'orders', Item }))
  return { stored: context.awsRequestId }
}

async function validate(event) {
  const check = async () => {
    if (event.fail) throw new Error('no such product')
  }
  if (!AWSXRay) return check()
  return AWSXRay.captureAsyncFunc('validate', async (subsegment) => {
    try {
      await check()
      subsegment.close()
    } catch (error) {
      subsegment.close(error)
      throw error
    }
  })
}
