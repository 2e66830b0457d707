// Takes one invocation after the other from the Runtime API. AWS's own client (aws-lambda-ric) has
// a part in C++ that npm builds with a compiler, cmake and autotools; a loop needs neither.

const path = require('node:path')

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`
const [file, name] = process.env._HANDLER.split('.')
const handler = require(path.join(process.env.LAMBDA_TASK_ROOT, file))[name]

const post = (requestId, what, content) =>
  fetch(`${api}/${requestId}/${what}`, { method: 'POST', body: JSON.stringify(content) })

async function run() {
  for (;;) {
    const next = await fetch(`${api}/next`)
    const requestId = next.headers.get('lambda-runtime-aws-request-id')
    process.env._X_AMZN_TRACE_ID = next.headers.get('lambda-runtime-trace-id') ?? ''
    const context = {
      awsRequestId: requestId,
      functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
      functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
      invokedFunctionArn: next.headers.get('lambda-runtime-invoked-function-arn'),
    }
    try {
      await post(requestId, 'response', await handler(await next.json(), context))
    } catch (error) {
      await post(requestId, 'error', { errorType: error.name, errorMessage: error.message })
    }
  }
}

run()
